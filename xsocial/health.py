"""Probes and metrics: is the process alive, can it serve, what has it counted."""

import hmac
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.cache import never_cache
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from feed import rehearsal
from feed.thunder import service as thunder
from xsocial import tables
from xsocial.kernel import redis

OK = "ok"


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing of anybody else, so that an outage restarts no web worker."""
    return JsonResponse({"status": OK, "build": settings.BUILD})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve: 503 while PostgreSQL or a migration is missing, or it is warming up.

    Without Valkey or Thunder pages still work, so their state is told but does not take the site down.
    """
    parts = {name: check() for name, check in CHECKS.items()}
    is_ready = all(parts[name] == OK for name in NEEDED)
    return JsonResponse({"status": OK if is_ready else "unavailable", **parts}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except tables.AWAY as error:
        # Drop the broken connection, so that the next probe tries a fresh one.
        connection.close()
        return _first_line(error)
    return OK


def _valkey() -> str:
    try:
        redis.client("cache").ping()
    except redis.RedisError as error:
        return _first_line(error)
    return OK


def _migrations() -> str:
    try:
        missing = tables.num_missing()
    except tables.AWAY as error:
        return _first_line(error)
    return f"{missing} not applied" if missing else OK


def _thunder() -> str:
    """Whether recent posts come from memory; without it PostgreSQL answers, so the site stays ready."""
    return thunder.state()


def _pages() -> str:
    """Whether the first page is as fast as any."""
    return rehearsal.state()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "valkey": _valkey,
    "migrations": _migrations,
    "thunder": _thunder,
    "pages": _pages,
}
NEEDED = ("database", "migrations", "pages")


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine or the bearer of XSOCIAL_METRICS_TOKEN."""
    return ExportToDjangoView(request) if _may_measure(request) else _refused()


@never_cache
def background_metrics(request: HttpRequest) -> HttpResponse:
    """The same of relay, dispatcher, worker and beat together, which serve nothing themselves."""
    if not _may_measure(request):
        return _refused()
    registry = CollectorRegistry()
    registry.register(_Background())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Background(Collector):
    """What processes have written below METRICS_DIR, each kind in a folder of its own."""

    def collect(self) -> Iterable[Metric]:
        return MultiProcessCollector.merge([str(path) for path in settings.METRICS_DIR.glob("*/*.db")])


def _refused() -> HttpResponse:
    return HttpResponseForbidden("metrics are for this machine or a token's bearer\n", content_type="text/plain")


def _may_measure(request: HttpRequest) -> bool:
    return _has_token(request) or _is_local(request)


def _has_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(
        request.headers.get("Authorization", "").encode(), expected.encode()
    )


def _is_local(request: HttpRequest) -> bool:
    """Straight from this machine: behind a proxy every request has a loopback address."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    return bool(address) and not forwarded and ip_address(address).is_loopback
