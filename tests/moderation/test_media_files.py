"""Looking into files: limits, hostile files, a child that stalls or dies, and the real models where installed."""

import io
import struct
import sys
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from moderation.grox.media import files, models, worker
from moderation.grox.media.reader import Reader
from moderation.grox.media.reading import Reading

SPOKEN = Path(__file__).parents[1] / "fixtures/media/spoken.webm"  # synthetic speech, four seconds


def video(path, *, seconds=(0, 1), with_sound=False):
    """Two pictures, the second shown at the end of the stated length."""
    with av.open(str(path), "w", format="webm") as target:
        stream = target.add_stream("libvpx", rate=1)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        sound = target.add_stream("libopus", rate=48_000) if with_sound else None
        for at in seconds:
            pixels = np.full((32, 32, 3), 20 + 100 * bool(at), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = at
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
        if sound:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 96_000), np.int16), format="s16", layout="mono")
            samples.sample_rate = 48_000
            target.mux(sound.encode(samples))
            target.mux(sound.encode(None))
    return path


def bomb(path, side=30_000):
    """A picture of a few kilobytes that would decode to gigabytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def words(text):
    image = Image.new("RGB", (640, 120), "white")
    ImageDraw.Draw(image).text((20, 30), text, fill="black", font=ImageFont.load_default(40))
    return image


def test_hostile_files_are_refused_with_the_reason(tmp_path):
    text = tmp_path / "text"
    text.write_text("not a film")
    cut = tmp_path / "cut.webm"
    cut.write_bytes(SPOKEN.read_bytes()[:300])
    long = video(tmp_path / "long.webm", seconds=(0, 7 * 3600))
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    for path, kind, reason in [
        (bomb(tmp_path / "bomb.png"), "image", "too many pixels|not a sound"),
        (text, "video", "not a sound video"),
        (text, "image", "not a sound image"),
        (cut, "video", "not a sound video"),
        (long, "video", "longer than 360 minutes"),
        (huge, "image", "too many bytes"),
    ]:
        with pytest.raises(files.BadFile, match=reason):
            files.pictures(path, kind)
        assert worker.read(path, kind).not_scored[0].startswith("file: ")


def test_frames_and_sound_are_bounded(tmp_path, monkeypatch):
    film = video(tmp_path / "film.webm", seconds=tuple(range(0, 60, 2)), with_sound=True)
    assert len(files.pictures(film, "video")) == files.MAX_FRAMES
    monkeypatch.setattr(files, "MAX_SOUND_S", 0.5)
    assert len(files.sound(film)) == 8_000
    assert not len(files.sound(video(tmp_path / "silent.webm")))
    moving = tmp_path / "moving.webp"
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "green", "blue", "white", "black")]
    frames[0].save(moving, save_all=True, append_images=frames[1:], duration=100)
    assert [at for at, _ in files.pictures(moving, "image")] == [0, 2, 4]


def test_what_no_model_here_can_judge_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "missing", lambda part: True)
    film = worker.read(video(tmp_path / "film.webm", with_sound=True), "video")
    assert film.not_scored == ("no model for writing", "no model for nudity", "no model for speech")
    still = tmp_path / "still.png"
    words("Hello there, this is a long line of words").save(still)
    picture = worker.read(still, "image")
    assert picture.not_scored == ("no model for writing", "no model for nudity")
    assert picture.nudity is None


def test_a_silent_video_and_a_picture_are_not_listened_to(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "missing", lambda part: part != models.SPEECH)
    monkeypatch.setattr(models, "transcribe", lambda samples: ("heard", True))
    assert worker.read(video(tmp_path / "silent.webm"), "video").transcript == ""
    assert worker.read(video(tmp_path / "loud.webm", with_sound=True), "video").transcript == "heard"
    monkeypatch.setattr(models, "transcribe", lambda samples: ("", False))
    assert "unclear speech" in worker.read(video(tmp_path / "odd.webm", with_sound=True), "video").not_scored


def child(code):
    return (sys.executable, "-S", "-c", code)


def test_a_child_that_stalls_or_dies_costs_one_file():
    stalled = Reader(seconds=0.2, command=child("import time; time.sleep(20)"))
    assert stalled.read(Path("x"), "image").not_scored == ("file: takes longer than 0.2 seconds",)
    assert stalled._child is None
    dying = Reader(command=child("input(); raise SystemExit"))
    for _ in range(2):
        assert dying.read(Path("x"), "image").not_scored == ("file: breaks the program that reads it",)


def test_an_idle_child_is_started_again():
    answer = io.StringIO()
    print(Reading(writing="hello").as_json(), file=answer)
    code = f"import json; input(); print(json.dumps({answer.getvalue().strip()}), flush=True)"
    reader = Reader(command=child(code))
    assert reader.read(Path("x"), "image").writing == "hello"
    reader._child.wait()
    assert reader.read(Path("x"), "image").writing == "hello"
    reader.close()


@pytest.fixture(scope="module")
def real_reader():
    reader = Reader()
    yield reader
    reader.close()


def needs(part):
    return pytest.mark.skipif(models.missing(part), reason=f"no model for {part} installed: make media")


@needs(models.WRITING)
@needs(models.NUDITY)
def test_words_in_a_picture_are_read_and_it_is_found_harmless(tmp_path, real_reader):
    path = tmp_path / "words.png"
    words("Fresh bread every morning").save(path)
    reading = real_reader.read(path, "image")
    assert {"bread", "morning"} <= set(reading.writing.lower().split())
    assert reading.nudity < 0.2
    assert reading.not_scored == ()
    assert set(reading.versions) == {"writing", "nudity"}


@needs(models.SPEECH)
def test_words_spoken_in_a_video_are_written_down(real_reader):
    reading = real_reader.read(SPOKEN, "video")
    assert "to the meeting tomorrow morning" in reading.transcript.lower()
    assert "speech" in reading.versions
