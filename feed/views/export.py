"""Taking one's own data away."""

import orjson
from django.http import HttpResponse

from feed import export as document
from xsocial.kernel.pages import PageRequest, signed_in


@signed_in
def export(request: PageRequest) -> HttpResponse:
    """The document as a file."""
    body = orjson.dumps(document.of(request.user), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="xsocial-{request.user.username}.json"'
    return response
