"""Uploads as a browser asks for them: whole, or in the ranges of a player."""

import asyncio
import warnings

import pytest
from django.test import AsyncRequestFactory

from xsocial.media import PART, media

BODY = bytes(range(256)) * (PART // 100)


@pytest.fixture(autouse=True)
def clip(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "clip.mp4").write_bytes(BODY)
    (tmp_path / "empty.png").write_bytes(b"")


def asked(client, wanted: str = "", name: str = "clip.mp4"):
    answer = client.get(f"/media/{name}", headers={"Range": wanted} if wanted else {})
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer, body


def test_a_file_is_sent_whole_and_cannot_act_as_a_page(client):
    answer, body = asked(client)
    assert (answer.status_code, body) == (200, BODY)
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert asked(client, name="empty.png")[1] == b""
    assert client.get("/media/none.mp4").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-", 100, len(BODY)),
        ("bytes=-7", len(BODY) - 7, len(BODY)),
        (f"bytes=5-{10**17}", 5, len(BODY)),
        (f"bytes=-{10**17}", 0, len(BODY)),
    ],
)
def test_a_player_gets_the_range_it_asks_for(client, wanted, start, stop):
    answer, body = asked(client, wanted)
    assert body == BODY[start:stop]
    assert int(answer["Content-Length"]) == stop - start
    is_part = stop - start < len(BODY)
    assert answer.status_code == (206 if is_part else 200)
    assert answer.get("Content-Range") == (f"bytes {start}-{stop - 1}/{len(BODY)}" if is_part else None)


@pytest.mark.parametrize(
    "wanted", ["bytes=-", "bytes=5-4", "bytes=1-2,5-6", "pages=1-2", "bytes=a-b", "bytes=" + "9" * 30 + "-"]
)
def test_what_is_no_single_range_gets_the_whole(client, wanted):
    answer, body = asked(client, wanted)
    assert (answer.status_code, body) == (200, BODY)


@pytest.mark.parametrize("wanted", [f"bytes={len(BODY)}-", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(client, wanted):
    answer, body = asked(client, wanted)
    assert (answer.status_code, body) == (416, b"")
    assert answer["Content-Range"] == f"bytes */{len(BODY)}"


@pytest.mark.django_db
def test_under_asgi_it_comes_in_parts_and_no_warning_is_logged():
    async def parts() -> list[bytes]:
        response = await asyncio.to_thread(media, AsyncRequestFactory().get("/media/clip.mp4"), "clip.mp4")
        found = [part async for part in response]
        response.close()
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asyncio.run(parts())
    assert b"".join(found) == BODY
    assert {len(part) for part in found[:-1]} == {PART}
