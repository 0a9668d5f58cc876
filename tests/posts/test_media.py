"""Uploads: judged by content, bounded, stripped, described."""

import io
import struct
import zlib

import av
import blurhash
import numpy as np
import pytest
from PIL import Image

from posts import services
from posts.models import Media
from posts.services import video
from tests.factories import MediaFactory, UserFactory, picture
from xsocial.kernel import images
from xsocial.kernel.errors import Invalid, NotFound

pytestmark = pytest.mark.django_db


def clip(
    format: str = "mp4", codec: str = "libx264", *, frames: int = 12, size: int = 64, rate: int = 12
) -> io.BytesIO:
    """A short video with telling metadata."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format) as target:
        target.metadata.update({"title": "holiday", "location": "+52.5+13.4/"})
        stream = target.add_stream(codec, rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            pixels = np.full((size, size, 3), 20 * (index % 12), dtype=np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        target.mux(stream.encode(None))
    buffer.seek(0)
    return buffer


def bomb(side: int = 30_000) -> io.BytesIO:
    """A PNG of a few kilobytes that claims, and would decode to, gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 2_000_000, 9)
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("format", "stored"), [("PNG", "webp"), ("JPEG", "jpeg"), ("WEBP", "webp"), ("GIF", "webp")])
def test_pictures_of_every_format_are_stored_anew(format, stored):
    media = services.upload_media(owner=UserFactory(), file=picture((3000, 1500), format), alt_text=" A lake ")
    assert (media.kind, media.content_type, media.alt_text) == ("image", f"image/{stored}", "A lake")
    assert (media.width, media.height) == (2048, 1024)
    assert blurhash.is_valid_blurhash(media.blurhash)
    with Image.open(media.file.path) as full, Image.open(media.preview.path) as preview:
        assert (full.size, preview.size) == ((2048, 1024), (640, 320))
        assert full.format == stored.upper()


def test_metadata_is_stripped_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    file = picture((60, 40), "JPEG", exif=exif, comment=b"secret comment")
    assert b"Secret Camera" in file.getvalue()
    media = services.upload_media(owner=UserFactory(), file=file)
    assert (media.width, media.height) == (40, 60)
    stored = media.file.read()
    media.file.close()
    assert b"ecret" not in stored
    with Image.open(io.BytesIO(stored)) as image:
        assert not image.getexif()


def test_transparency_and_animation_survive():
    frames = [Image.new("RGBA", (20, 20), (0, 90 * n, 0, 128)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=80)
    media = services.upload_media(owner=UserFactory(), file=file)
    with Image.open(media.file.path) as image:
        assert image.n_frames == 3
        assert image.convert("RGBA").getpixel((5, 5))[3] < 255


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?php echo 1;",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"GIF89a" + b"\xff" * 40,
        b"\xff\xd8\xff\xe0" + b"\0" * 300,
        b"\0\0\0\x18ftypisom" + b"\0" * 400,
        b"\x1aE\xdf\xa3" + b"\0" * 400,
    ],
)
def test_disguised_and_broken_files_are_refused(content):
    with pytest.raises(Invalid):
        services.upload_media(owner=UserFactory(), file=io.BytesIO(content))
    assert not Media.objects.exists()


def test_truncated_files_are_refused():
    for whole in (picture((400, 400), "JPEG"), clip()):
        half = io.BytesIO(whole.getvalue()[: len(whole.getvalue()) // 2])
        with pytest.raises(Invalid):
            services.upload_media(owner=UserFactory(), file=half)


@pytest.mark.parametrize("side", [7_000, 30_000])
def test_decompression_bombs_are_refused_before_decoding(side):
    with pytest.raises(Invalid, match="pixels"):
        services.upload_media(owner=UserFactory(), file=bomb(side))


def test_oversized_files_are_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    monkeypatch.setattr(video, "MAX_BYTES", 10)
    for file in (picture(), clip()):
        with pytest.raises(Invalid, match="larger"):
            services.upload_media(owner=UserFactory(), file=file)


def test_a_program_behind_a_picture_does_not_survive():
    file = picture((50, 50), "JPEG")
    file.seek(0, io.SEEK_END)
    file.write(b"<script>alert(1)</script>")
    media = services.upload_media(owner=UserFactory(), file=file)
    assert b"<script>" not in media.file.read()
    media.file.close()


@pytest.mark.parametrize(("format", "codec"), [("mp4", "libx264"), ("webm", "libvpx")])
def test_videos_get_duration_poster_and_a_clean_container(format, codec):
    media = services.upload_media(owner=UserFactory(), file=clip(format, codec, frames=18))
    assert (media.kind, media.content_type) == ("video", f"video/{format}")
    assert abs(media.duration_ms - 1500) <= 90
    assert (media.width, media.height) == (64, 64)
    assert blurhash.is_valid_blurhash(media.blurhash)
    with Image.open(media.preview.path) as poster:
        assert poster.size == (64, 64)
    with av.open(media.file.path) as stored:
        assert not {"title", "location"} & set(stored.metadata)
        assert sum(1 for _ in stored.decode(video=0)) == 18


def test_videos_have_bounds(monkeypatch):
    monkeypatch.setattr(video, "MAX_DURATION_MS", 500)
    with pytest.raises(Invalid, match="seconds"):
        services.upload_media(owner=UserFactory(), file=clip())
    monkeypatch.setattr(video, "MAX_DURATION_MS", 5000)
    monkeypatch.setattr(video, "MAX_SIDE", 32)
    with pytest.raises(Invalid, match="pixels"):
        services.upload_media(owner=UserFactory(), file=clip())


def test_codecs_that_browsers_do_not_play_are_refused():
    with pytest.raises(Invalid, match="codec"):
        services.upload_media(owner=UserFactory(), file=clip("mp4", "mpeg4"))


def test_a_video_stands_alone_and_gives_its_post_the_duration():
    ann = UserFactory()
    film = services.upload_media(owner=ann, file=clip())
    with pytest.raises(Invalid):
        services.create_post(author=ann, media=[film, MediaFactory(owner=ann)])
    assert services.create_post(author=ann, media=[film]).video_duration_ms == film.duration_ms


def test_only_the_owner_describes():
    media = MediaFactory()
    services.describe_media(owner=media.owner, media_id=media.pk, alt_text="A square")
    with pytest.raises(NotFound):
        services.describe_media(owner=UserFactory(), media_id=media.pk, alt_text="Mine")
    with pytest.raises(Invalid):
        services.describe_media(owner=media.owner, media_id=media.pk, alt_text="x" * 1501)


def test_the_blurhash_equals_the_reference_implementation():
    noise = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((32, 24), Image.Resampling.NEAREST)
    assert images.hash_of(image) == "LSH.f;gyg6}tK$S[EmN5s|pHI@S|"
