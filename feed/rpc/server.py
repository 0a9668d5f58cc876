"""What every gRPC server of ours has: a token, deadlines, clear status codes, health, reflection, metrics.

Limits follow the published service: both compressions are the client's choice, messages up to 128 MiB, and
connections are recycled so that clients find new replicas.
"""

from __future__ import annotations

import hmac
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from django.conf import settings
from django.db import close_old_connections
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from xsocial.kernel import errors, metrics

MAX_MESSAGE_BYTES = 128 * 1024 * 1024
MAX_CONNECTION_AGE_MS = 300_000
# How long a caller waits before it tries a lost server again; gRPC's own limit is two minutes.
RECONNECT_MS = (100, 2_000)
GRACE_S = 5.0
MAX_PORT = 65_535
HEALTH_PERIOD_S = 0.5
LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:", "unix:")

STATUS_CODES = {
    errors.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotAllowed: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}
# An Unavailable may say more precisely why.
REASON_CODES = {
    "refused": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "late": grpc.StatusCode.DEADLINE_EXCEEDED,
}

Method = Callable[[Any, grpc.ServicerContext], Any]
Handler = Any  # grpc's handler or None; grpc has no types of its own
Continuation = Callable[[grpc.HandlerCallDetails], Handler]


@dataclass(frozen=True, slots=True)
class Service:
    """A service to offer: its full name and what adds it to a server."""

    name: str
    add_to: Callable[[grpc.Server], None]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call, and how calls travel. Empty paths mean without TLS."""

    token: str = ""
    certificate: str = ""  # paths of PEM files
    key: str = ""
    authority: str = ""

    @classmethod
    def from_settings(cls) -> Access:
        """What the environment says."""
        return cls(settings.RPC_TOKEN, settings.RPC_TLS_CERT, settings.RPC_TLS_KEY, settings.RPC_TLS_CA)

    def listen(self, server: grpc.Server, address: str) -> int:
        """Open the port. Raises Invalid for a certificate that cannot be read, or no port, or one that is taken."""
        port = address.rpartition(":")[2]
        if not address.startswith("unix:") and not (port.isdecimal() and int(port) <= MAX_PORT):
            raise errors.Invalid(f"{address} is not an address with a port from 0 to {MAX_PORT}.")
        if bool(self.certificate) != bool(self.key):
            raise errors.Invalid("XSOCIAL_RPC_TLS_CERT and XSOCIAL_RPC_TLS_KEY belong together.")
        try:
            if not self.certificate:
                return server.add_insecure_port(address)
            pair = (Path(self.key).read_bytes(), Path(self.certificate).read_bytes())
            return server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except OSError as error:
            raise errors.Invalid(f"The TLS files cannot be read: {error}.") from error
        except RuntimeError as error:
            raise errors.Invalid(f"Cannot listen on {address}.") from error

    def channel(self, target: str) -> grpc.Channel:
        """A channel to a server of ours; with an authority's certificate it is encrypted and checked."""
        soonest, latest = RECONNECT_MS
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.initial_reconnect_backoff_ms", soonest),
            ("grpc.min_reconnect_backoff_ms", soonest),
            ("grpc.max_reconnect_backoff_ms", latest),
        ]
        if not self.authority:
            return grpc.insecure_channel(target, options=options)
        credentials = grpc.ssl_channel_credentials(Path(self.authority).read_bytes())
        return grpc.secure_channel(target, credentials, options=options)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a caller sends along."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


NOBODY = Access()


class RpcServer:
    """A gRPC server with our manners. Without a token it may only listen on this machine."""

    def __init__(
        self,
        services: Sequence[Service],
        *,
        address: str,
        access: Access = NOBODY,
        workers: int = 8,
        max_calls: int = 64,
    ) -> None:
        if not access.token and not address.startswith(LOOPBACK):
            raise errors.Invalid(f"Without XSOCIAL_RPC_TOKEN only this machine may call, so not on {address}.")
        self._services = services
        self._health = health.HealthServicer()
        self.server = grpc.server(
            ThreadPoolExecutor(workers, thread_name_prefix="rpc"),
            interceptors=[RequireToken(access.token), Manners()],
            maximum_concurrent_rpcs=max_calls,
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_connection_age_ms", MAX_CONNECTION_AGE_MS),
                ("grpc.so_reuseport", 0),
            ],
        )
        for service in services:
            service.add_to(self.server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        names = [service.name for service in services]
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], self.server)
        self.set_ready(False)
        self.port = access.listen(self.server, address)

    def set_ready(self, is_ready: bool) -> None:
        """What the health service answers, for the whole server and for each service."""
        status = health_pb2.HealthCheckResponse.SERVING if is_ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *(service.name for service in self._services)):
            self._health.set(name, status)

    def run_until_stopped(self, is_ready: Callable[[], bool]) -> None:
        """Serve until SIGTERM or Ctrl-C, then let running calls finish for a moment."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        self.server.start()
        while not stopped.is_set():
            self.set_ready(is_ready())
            stopped.wait(HEALTH_PERIOD_S)
        self._health.enter_graceful_shutdown()
        self.server.stop(GRACE_S).wait()


def export_metrics(port: int) -> None:
    """Serve this process's metrics over HTTP to this machine; 0 does not. Raises Invalid for a port that is taken."""
    if not port:
        return
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise errors.Invalid(f"Metrics cannot be served on port {port}: {error.strerror}.") from error


class RequireToken(grpc.ServerInterceptor):
    """Refuses calls without the bearer token; health checks need none."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}" if token else ""

    def intercept_service(self, continuation: Continuation, details: grpc.HandlerCallDetails) -> Handler:
        given = dict(details.invocation_metadata).get("authorization", "")
        is_open = not self._expected or details.method.startswith(f"/{health.SERVICE_NAME}/")
        if is_open or hmac.compare_digest(given.encode(), self._expected.encode()):
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


class Manners(grpc.ServerInterceptor):
    """Around every plain call: database connections, application errors as status codes, metrics."""

    def intercept_service(self, continuation: Continuation, details: grpc.HandlerCallDetails) -> Handler:
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            partial(_answer, handler.unary_unary, details.method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _refuse(_request: Any, context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")


def _answer(method: Method, name: str, request: Any, context: grpc.ServicerContext) -> Any:
    started = time.perf_counter()
    code = grpc.StatusCode.UNKNOWN  # what gRPC answers when something unforeseen is raised
    close_old_connections()
    try:
        _check_deadline(context)
        answer = method(request, context)
        code = grpc.StatusCode.OK
        return answer
    except errors.ApplicationError as error:
        code = _status_code(error)
        context.abort(code, error.message)
    finally:
        close_old_connections()
        metrics.counter("rpc_calls", "gRPC calls", ("method", "code")).labels(name, code.name).inc()
        seconds = metrics.histogram("rpc_seconds", "Duration of gRPC calls", ("method",))
        seconds.labels(name).observe(time.perf_counter() - started)


def _check_deadline(context: grpc.ServicerContext) -> None:
    """A call that waited past its deadline is not begun: nobody reads the answer."""
    remaining = context.time_remaining()
    if remaining is not None and remaining <= 0:
        raise errors.Unavailable("The deadline passed before the call began.", extra={"reason": "late"})


def _status_code(error: errors.ApplicationError) -> grpc.StatusCode:
    by_reason = REASON_CODES.get(error.extra.get("reason", ""))
    by_kind = [code for kind, code in STATUS_CODES.items() if isinstance(error, kind)]
    return by_reason or (by_kind[0] if by_kind else grpc.StatusCode.INTERNAL)
