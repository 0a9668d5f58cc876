"""Taking one's own data away."""

from collections.abc import AsyncIterator, Generator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse

from feed import export as document
from xsocial.kernel.pages import PageRequest, signed_in


@signed_in
def export(request: PageRequest) -> StreamingHttpResponse:
    """The document as a file, sent while it is written: the download begins at once, however much there is."""
    parts = document.parts(request.user)
    body = _BesideTheLoop(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="xsocial-{request.user.username}.json"'
    return response


class _BesideTheLoop:
    """Pieces read in a thread. The response closes it, so a client that leaves holds no cursor open."""

    def __init__(self, parts: Generator[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        take = sync_to_async(next)
        while part := await take(self._parts, b""):
            yield part

    def close(self) -> None:
        self._parts.close()
