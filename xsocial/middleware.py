"""The project's own middleware: request ids, who asks, an answer without PostgreSQL, clocks, staff MFA."""

import re
import uuid
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from psycopg_pool import PoolTimeout

from accounts.selectors.rights import lacks_second_factor
from xsocial.kernel.rest.problems import is_api, json_problem

GetResponse = Callable[[HttpRequest], HttpResponse]

# What we accept from a proxy; anything else could forge log lines.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
RETRY_AFTER_S = 5


class RequestIdMiddleware:
    """Gives each request an id: taken from X-Request-ID, bound to its logs, sent back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ClientAddressMiddleware:
    """Behind proxies, the address that the outermost of ours saw: limits, lock-out and location go by it.

    Each proxy adds to the end of X-Forwarded-For; what stands before our own entries anybody can write.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        passed = request.headers.get("X-Forwarded-For", "").split(",")
        if 0 < settings.PROXY_COUNT <= len(passed) and (address := _address(passed[-settings.PROXY_COUNT])):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def _address(text: str) -> str:
    """As it is written everywhere; empty for anything else."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


class DatabaseDownMiddleware:
    """Answers 503 with Retry-After when PostgreSQL is away; other database errors stay errors."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            return unavailable(request, error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Views' errors pass here before Django would turn them into a 500."""
        if isinstance(error, (OperationalError, InterfaceError, PoolTimeout)) and not database_answers():
            return unavailable(request, error)
        return None


def database_answers() -> bool:
    """Whether PostgreSQL can be asked now; a lock time-out, say, is not an outage."""
    try:
        connection.ensure_connection()
    except (OperationalError, InterfaceError, PoolTimeout):
        return False
    return connection.is_usable()


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """The 503 page, or its JSON for the API."""
    structlog.get_logger(__name__).error("database unavailable", path=request.path, error=str(error).strip())
    message = "The database is not available right now. Please try again in a moment."
    if is_api(request):
        response: HttpResponse = json_problem(503, message)
    else:
        response = HttpResponse(render_to_string("503.html", {"message": message}), status=503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


class TimeZoneMiddleware:
    """Dates on pages follow the clock that the reader chose."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


def zone_of(user: Any) -> ZoneInfo:
    """UTC for visitors, and where the name is of no zone that this machine knows."""
    try:
        return ZoneInfo(getattr(user, "time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class StaffSecondFactorMiddleware:
    """Sends staff without a second factor to its set-up page instead of into the admin or to the moderators' queue."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_SECOND_FACTOR_REQUIRED and self._must_set_up(request):
            return HttpResponseRedirect(f"{reverse('mfa_activate_totp')}?{urlencode({'next': request.path})}")
        return self.get_response(request)

    def _must_set_up(self, request: HttpRequest) -> bool:
        guarded = reverse("admin:index"), reverse("moderation:queue")
        return request.path.startswith(guarded) and lacks_second_factor(request.user)
