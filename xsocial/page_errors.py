"""The one place where application errors become pages. REST has its own (`xsocial.api.errors`)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import error_response


class PageErrorMiddleware:
    """Answers a raised `ApplicationError` with its page and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """None leaves other errors, and those of the API, to whoever handles them."""
        if isinstance(error, ApplicationError) and not request.path.startswith("/api/"):
            return error_response(request, error)
        return None
