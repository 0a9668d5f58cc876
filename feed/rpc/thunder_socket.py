"""Thunder over a Unix socket, for callers on the same machine: gRPC's own threads take longer than the lookup.

The messages are those of gRPC, in frames of `multiprocessing.connection`, of which nothing is unpickled. A frame that
asks begins with the seconds its caller waits (float64); one that answers with a byte, 1 for an answer and 0 for the
reason why there is none. Who may open the socket's file may ask.
"""

import logging
import os
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from google.protobuf.message import DecodeError

from feed.rpc import thunder
from feed.rpc.generated import thunder_pb2 as messages
from feed.thunder.listener import OK
from feed.thunder.post_store import Found, Request
from feed.thunder.service import Backend
from xsocial.kernel.errors import Invalid, Unavailable

logger = logging.getLogger(__name__)

SCHEME = "socket:"
MAX_CONNECTIONS = 256
RETRY_S = 1.0
MAX_QUESTION_BYTES = 4 * 1024 * 1024
_SECONDS = struct.Struct("<d")
_FOUND, _REFUSED = b"\1", b"\0"


class SocketServer:
    """Answers from a backend: a thread for each connection, whose number is bounded."""

    def __init__(self, path: Path, backend: Backend) -> None:
        """Listen there, for this account alone. Raises Invalid where that cannot be."""
        self._backend = backend
        self._permits = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._closed = threading.Event()
        _make_room(path)
        before = os.umask(0o177)
        try:
            self._listener = Listener(str(path), "AF_UNIX", backlog=MAX_CONNECTIONS)
        except OSError as error:
            raise Invalid(f"Cannot listen on {path}: {error.strerror or error}.") from error
        finally:
            os.umask(before)

    def start(self) -> None:
        """Accept connections, in a thread that ends with the process."""
        threading.Thread(target=self._accept, name="thunder-socket", daemon=True).start()

    def close(self) -> None:
        """Take the socket away; whoever is connected is served on."""
        self._closed.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._listener.accept()
            except OSError as error:  # closed, or out of file descriptors for a while
                if not self._closed.wait(RETRY_S):
                    logger.warning("thunder accepts nobody: %s", error)
                continue
            if not self._permits.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            with connection, suppress(EOFError, OSError):  # the caller went, or asks for more than may be
                while True:
                    connection.send_bytes(self._answer(connection.recv_bytes(MAX_QUESTION_BYTES)))
        finally:
            self._permits.release()

    def _answer(self, frame: bytes) -> bytes:
        try:
            (remaining_s,) = _SECONDS.unpack_from(frame)
            asked = messages.GetInNetworkPostsRequest.FromString(frame[_SECONDS.size :])
            return _FOUND + thunder.answer(self._backend, asked, remaining_s).SerializeToString()
        except Unavailable as error:
            return _REFUSED + error.extra.get("reason", "failed").encode()
        except (struct.error, DecodeError, Invalid) as error:
            logger.warning("thunder was asked what it cannot read: %s", error)
            return _REFUSED + b"failed"


class SocketThunder:
    """A `Backend` in another process of this machine. Connections open when needed and are kept."""

    def __init__(self, path: str, *, timeout_s: float = thunder.TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._idle: deque[Connection] = deque()
        self.state = OK  # how the last question went

    def lookup(self, request: Request) -> Found:
        """The answer of the other process. Raises Unavailable with the reason."""
        reason = "not_ready"
        try:
            answer = self._ask(request)
            if answer[:1] == _FOUND:
                self.state = OK
                return thunder.found_in(messages.GetInNetworkPostsResponse.FromString(answer[1:]))
            reason = answer[1:].decode()
        except TimeoutError:
            reason = "late"
        except (OSError, EOFError):
            self._idle.clear()  # a server that went takes all its connections along
        self.state = f"{self._path}: {reason}"
        raise Unavailable("Thunder does not answer.", extra={"reason": reason})

    def _ask(self, request: Request) -> bytes:
        """One frame there and one back. A connection on which anything failed is not used again."""
        until = time.monotonic() + thunder.seconds_left(request, self._timeout_s)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Client(self._path, "AF_UNIX")
        try:
            message = thunder.question(request).SerializeToString()
            remaining_s = max(until - time.monotonic(), 0.0)
            connection.send_bytes(_SECONDS.pack(remaining_s) + message)
            if not connection.poll(remaining_s):
                raise TimeoutError
            answer = connection.recv_bytes()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer


def _make_room(path: Path) -> None:
    """Remove what a server left that is gone. Raises Invalid where one listens, or where something else lies."""
    if not path.exists():
        return
    if not path.is_socket():
        raise Invalid(f"{path} is not a socket.")
    with suppress(ConnectionRefusedError):
        Client(str(path), "AF_UNIX").close()
        raise Invalid(f"Another process listens on {path}.")
    path.unlink()
