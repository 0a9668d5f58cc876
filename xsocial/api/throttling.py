"""Request rates per person or address, with the headers that clients sleep by."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from xsocial.kernel import clock, rate_limit

WINDOW_S = 300
LIMIT_SIGNED_IN = 1500
LIMIT_ANONYMOUS = 300


class RateLimitThrottle(BaseThrottle):
    """A fixed window per token owner, or per address when nobody is signed in."""

    def allow_request(self, request: Request, view: Any) -> bool:
        signed_in = bool(request.user and request.user.is_authenticated)
        key = str(request.user.pk) if signed_in else (request.META.get("REMOTE_ADDR") or "unknown")
        limit = LIMIT_SIGNED_IN if signed_in else LIMIT_ANONYMOUS
        self.allowance = rate_limit.hit("api", key, limit, WINDOW_S)
        # Left on the request for the middleware below: DRF builds its error answers elsewhere.
        request._request.api_allowance = self.allowance
        return self.allowance.is_allowed

    def wait(self) -> float:
        return max(0.0, (self.allowance.reset_ms - clock.now_ms()) / 1000)


class RateLimitHeadersMiddleware:
    """Adds X-RateLimit-Limit, -Remaining and -Reset to throttled answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        allowance = getattr(request, "api_allowance", None)
        if allowance is not None:
            reset = datetime.fromtimestamp(allowance.reset_ms / 1000, UTC)
            response["X-RateLimit-Limit"] = str(allowance.limit)
            response["X-RateLimit-Remaining"] = str(allowance.remaining)
            response["X-RateLimit-Reset"] = reset.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return response
