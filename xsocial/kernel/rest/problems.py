"""The body of an error answer.

Mastodon clients read `error` and `error_description`; `status` and `details` (per field) serve
everybody else.
"""

from typing import Any

from django.http import HttpRequest, JsonResponse


def problem(status: int, title: str, *, description: str = "", details: Any = None) -> dict[str, Any]:
    """What a program reads of an error."""
    body: dict[str, Any] = {"error": title, "error_description": description or title, "status": status}
    if details:
        body["details"] = details
    return body


def is_api(request: HttpRequest) -> bool:
    """Whether a program asked, which reads JSON even where no view of the API answers."""
    return request.path.startswith("/api/")


def json_problem(status: int, title: str) -> JsonResponse:
    """An error answer from outside the API's own views."""
    return JsonResponse(problem(status, title), status=status)
