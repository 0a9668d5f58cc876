"""Uploaded pictures and clips, where no web server or object store serves them."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.static import serve

PART = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file, or the range of it that a player asks for.

    A sandboxing policy and the type guessed from the name keep an upload from acting as a page.
    """
    try:
        response = serve(request, path, document_root=settings.MEDIA_ROOT)
    except OSError as error:  # a name longer than any file's
        raise Http404 from error
    if isinstance(response, FileResponse):
        response = _in_parts(request, response)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _in_parts(request: HttpRequest, response: FileResponse) -> HttpResponseBase:
    """The same file part by part: under ASGI Django would read all of it into memory first."""
    file, size = response.file_to_stream, int(response["Content-Length"])
    start, stop = _bounds(request.headers.get("Range", ""), size)
    if start > stop or (start == stop and size):
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if (start, stop) != (0, size):
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    file.seek(start)
    parts = _read_beside_the_loop if isinstance(request, ASGIRequest) else _read
    response.streaming_content = parts(file, stop - start)
    response["Content-Length"] = str(stop - start)
    response["Accept-Ranges"] = "bytes"
    return response


def _bounds(header: str, size: int) -> tuple[int, int]:
    """First byte wanted and the one after the last. What is no single range means the whole, as HTTP has it."""
    found = _RANGE.fullmatch(header)
    if found is None or header == "bytes=-":
        return 0, size
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size if int(last) else 0
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(int(last) + 1, size) if last else size


def _read(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (part := file.read(min(PART, length))):
        length -= len(part)
        yield part


async def _read_beside_the_loop(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    read = sync_to_async(file.read, thread_sensitive=False)
    while length > 0 and (part := await read(min(PART, length))):
        length -= len(part)
        yield part
