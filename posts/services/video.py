"""Uploaded videos: verified by decoding, bounded, and copied into a clean container.

The compressed pictures and sound are kept bit for bit; everything around them (location, device,
titles, extra streams) is left behind.
"""

import io
import tempfile
from dataclasses import dataclass
from typing import BinaryIO

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from PIL import Image

from xsocial.kernel.errors import Invalid

MAX_BYTES = 64 * 1024 * 1024
MAX_DURATION_MS = 140_000
MAX_SIDE = 1920
MAX_FRAME_RATE = 120

# Containers by the name FFmpeg gives them: what we write, and the codecs browsers play in it.
_MP4 = ("mp4", "video/mp4", "mp4")
_WEBM = ("webm", "video/webm", "webm")
_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": _MP4, "matroska,webm": _WEBM}
_CODECS = {"mp4": {"h264", "av1", "vp9", "aac", "mp3", "opus"}, "webm": {"vp8", "vp9", "av1", "opus", "vorbis"}}
_BROKEN = (FFmpegError, ValueError, EOFError, OSError)


@dataclass(frozen=True)
class CleanVideo:
    """A video as we store it; `poster` is its first picture."""

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int
    duration_ms: int
    poster: Image.Image


def looks_like_video(head: bytes) -> bool:
    """Whether the first bytes are those of MP4/QuickTime or of WebM/Matroska."""
    return head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3"


def clean(file: BinaryIO) -> CleanVideo:
    """Check a video and copy it without metadata. Raises Invalid for anything out of bounds."""
    try:
        with av.open(file, "r", metadata_errors="ignore") as source:
            return _cleaned(source)
    except _BROKEN as error:
        raise Invalid("This file is not a sound MP4 or WebM video.", extra={"field": "file"}) from error


def _cleaned(source: InputContainer) -> CleanVideo:
    format_name, content_type, extension = _checked_container(source)
    video = source.streams.video[0]
    poster = _first_picture(source, video)
    source.seek(0)
    data, duration_ms = _copied(source, format_name)
    if not 0 < duration_ms <= MAX_DURATION_MS:
        raise Invalid(f"A video lasts at most {MAX_DURATION_MS // 1000} seconds.", extra={"field": "file"})
    return CleanVideo(
        data=data,
        content_type=content_type,
        extension=extension,
        width=poster.width,
        height=poster.height,
        duration_ms=duration_ms,
        poster=poster,
    )


def _checked_container(source: InputContainer) -> tuple[str, str, str]:
    container = _CONTAINERS.get(source.format.name)
    if container is None or not source.streams.video:
        raise Invalid("Upload an MP4 or WebM video.", extra={"field": "file"})
    allowed = _CODECS[container[0]]
    streams = [*source.streams.video[:1], *source.streams.audio[:1]]
    if any(stream.codec_context.name.removeprefix("lib").split("_")[0] not in _known(allowed) for stream in streams):
        raise Invalid("This video uses a codec that browsers do not play.", extra={"field": "file"})
    _check_bounds(source, source.streams.video[0])
    return container


def _known(codecs: set[str]) -> set[str]:
    """Codec names with those of the decoders FFmpeg may prefer for them."""
    decoders = {"av1": {"dav1d", "aom-av1"}, "vp8": {"vpx"}, "vp9": {"vpx-vp9"}}
    return codecs.union(*(decoders.get(codec, set()) for codec in codecs))


def _check_bounds(source: InputContainer, video: VideoStream) -> None:
    """What the header claims; the duration is measured again while copying."""
    if max(video.width, video.height) > MAX_SIDE or min(video.width, video.height) < 1:
        raise Invalid(f"A video is at most {MAX_SIDE} pixels on a side.", extra={"field": "file"})
    if video.average_rate and video.average_rate > MAX_FRAME_RATE:
        raise Invalid("This video has too many pictures a second.", extra={"field": "file"})
    if source.duration and source.duration / 1000 > MAX_DURATION_MS:
        raise Invalid(f"A video lasts at most {MAX_DURATION_MS // 1000} seconds.", extra={"field": "file"})


def _first_picture(source: InputContainer, video: VideoStream) -> Image.Image:
    video.thread_type = "NONE"
    for frame in source.decode(video):
        return frame.to_image()
    raise Invalid("This video has no pictures.", extra={"field": "file"})


def _copied(source: InputContainer, format_name: str) -> tuple[bytes, int]:
    """Copy the first video and sound stream packet by packet; returns bytes and milliseconds."""
    wanted = [*source.streams.video[:1], *source.streams.audio[:1]]
    end_ms = 0.0
    # A named temporary file, since MP4 moves its index to the front in a second pass.
    with tempfile.NamedTemporaryFile(suffix=f".{format_name}") as file:
        options = {"movflags": "+faststart"} if format_name == "mp4" else {}
        with av.open(file.name, "w", format=format_name, options=options) as target:
            outputs = {stream.index: target.add_stream_from_template(stream) for stream in wanted}
            for output in outputs.values():
                output.metadata.clear()
            for packet in source.demux(wanted):
                if packet.dts is None:
                    continue
                if packet.stream.type == "video":
                    end = (packet.pts or packet.dts) + (packet.duration or 0)
                    end_ms = max(end_ms, float(end * packet.time_base * 1000))
                packet.stream = outputs[packet.stream.index]
                target.mux(packet)
        file.seek(0, io.SEEK_SET)
        with open(file.name, "rb") as written:
            return written.read(), round(end_ms)
