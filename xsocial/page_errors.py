"""The one place where errors become pages, and JSON for programs outside the API's own views.

Within those views `xsocial.api.errors` answers.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from xsocial.kernel.errors import ApplicationError, Invalid
from xsocial.kernel.pages import error_response
from xsocial.kernel.rest.problems import is_api, json_problem


class PageErrorMiddleware:
    """Answers a raised `ApplicationError` with its page and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _refuse(request) if _has_nul(request) else self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """None leaves other errors, and those of the API, to whoever handles them."""
        if isinstance(error, ApplicationError) and not is_api(request):
            return error_response(request, error)
        return None


def _has_nul(request: HttpRequest) -> bool:
    """PostgreSQL stores no NUL, so an address with one can mean nothing, whatever view it leads to."""
    return "\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")


def _refuse(request: HttpRequest) -> HttpResponse:
    error = Invalid("This address is not complete.")
    return json_problem(error.status, error.message) if is_api(request) else error_response(request, error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return json_problem(400, "Bad request") if is_api(request) else defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return json_problem(404, "Record not found") if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return json_problem(500, "Something went wrong on our side") if is_api(request) else defaults.server_error(request)
