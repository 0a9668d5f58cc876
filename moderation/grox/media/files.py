"""Opening pictures and videos within limits: some frames, and the beginning of the sound.

Files have been checked at upload; here they are distrusted once more, because the decoders that read
whole videos are the largest pieces of foreign code that strangers' bytes meet.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from xsocial.kernel import images

MAX_BYTES = 64 * 1024 * 1024
MAX_VIDEO_MINUTES = 360  # as published: longer ones are not fetched
MAX_FRAMES = 8
SECONDS_PER_FRAME = 4.0  # shorter videos have fewer frames looked at
ANIMATION_FRAMES = 3
MAX_SOUND_S = 180.0
SOUND_RATE = 16_000
_BROKEN = (FFmpegError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


class BadFile(Exception):
    """The file cannot be read, for the reason given."""


def pictures(path: Path, kind: str) -> list[tuple[int, Image.Image]]:
    """The frames to look at with their milliseconds: of a picture one, of an animation and a video a few.

    Raises BadFile for a broken file and for one out of bounds.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadFile("too many bytes")
    try:
        return list(_still(path) if kind == "image" else _frames(path))
    except _BROKEN as error:
        raise BadFile(f"not a sound {kind}") from error


def _still(path: Path) -> Iterator[tuple[int, Image.Image]]:
    with Image.open(path, formats=images.FORMATS) as image:
        number = getattr(image, "n_frames", 1)
        if image.width * image.height * number > images.MAX_ANIMATION_PIXELS:
            raise BadFile("too many pixels")
        wanted = {round(step * (number - 1) / max(1, ANIMATION_FRAMES - 1)) for step in range(ANIMATION_FRAMES)}
        for place, frame in enumerate(ImageSequence.Iterator(image)):
            if place in wanted:
                yield place, _in_colour(frame)


def _in_colour(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def _frames(path: Path) -> Iterator[tuple[int, Image.Image]]:
    with av.open(str(path), "r", metadata_errors="ignore") as source:
        seconds = _checked_length(source)
        stream = source.streams.video[0]
        stream.thread_type = "NONE"
        number = min(MAX_FRAMES, max(1, round(seconds / SECONDS_PER_FRAME)))
        for place in range(number):
            source.seek(round(place * seconds / number * av.time_base))
            frame = next(source.decode(stream), None)
            if frame is not None:
                yield round(1000 * (frame.time or 0)), frame.to_image()


def _checked_length(source: InputContainer) -> float:
    """Seconds of a video that may be read."""
    seconds = (source.duration or 0) / av.time_base
    if seconds > 60 * MAX_VIDEO_MINUTES:
        raise BadFile(f"longer than {MAX_VIDEO_MINUTES} minutes")
    if not source.streams.video:
        raise BadFile("no pictures in it")
    stream = source.streams.video[0]
    if stream.width * stream.height > images.MAX_PIXELS:
        raise BadFile("too many pixels")
    return seconds


def sound(path: Path) -> NDArray[np.float32]:
    """The beginning of a video's sound, mono, 16 kHz, -1 to 1; empty for a silent one. Raises BadFile."""
    try:
        with av.open(str(path), "r", metadata_errors="ignore") as source:
            if not source.streams.audio:
                return np.zeros(0, np.float32)
            return _sound_of(source)
    except _BROKEN as error:
        raise BadFile("not a sound video") from error


def _sound_of(source: InputContainer) -> NDArray[np.float32]:
    to_mono = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
    parts: list[NDArray[np.float32]] = []
    left = round(MAX_SOUND_S * SOUND_RATE)
    for frame in source.decode(source.streams.audio[0]):
        for piece in to_mono.resample(frame):
            parts.append(piece.to_ndarray()[0][:left])
            left -= len(parts[-1])
        if left <= 0:
            break
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
