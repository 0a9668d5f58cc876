"""Taking one's own data away."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse

from feed import export as document
from xsocial.kernel.pages import PageRequest, signed_in


@signed_in
def export(request: PageRequest) -> StreamingHttpResponse:
    """The document as a file, sent while it is written: the download begins at once, however much there is."""
    parts = document.parts(request.user)
    body = _beside_the_loop(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="xsocial-{request.user.username}.json"'
    return response


async def _beside_the_loop(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    take = sync_to_async(next)
    while part := await take(parts, b""):
        yield part
