"""Our side of looking into a file: a child process does it, and is killed when it takes too long."""

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from moderation.grox.media.reading import Reading, unreadable
from xsocial.kernel import metrics

SECONDS = 120.0  # for one file, all models together, loading them included
COMMAND = (sys.executable, "-m", "moderation.grox.media.worker")
_CHUNK = 65_536


@dataclass
class Reader:
    """Keeps one child for many files. Not for use by two threads at once."""

    seconds: float = SECONDS
    command: tuple[str, ...] = COMMAND
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def read(self, path: Path, kind: str) -> Reading:
        """Look at a file. One that stalls or breaks the child is not scored, and says so; it raises nothing."""
        reading = self._asked(path, kind)
        outcome = "failed" if any(part.startswith("file: ") for part in reading.not_scored) else "read"
        metrics.counter("grox_media_read", "Attachments looked into", ("kind", "outcome")).labels(kind, outcome).inc()
        metrics.histogram("grox_media_seconds", "Looking into an attachment", ("kind",)).labels(kind).observe(
            reading.milliseconds / 1000
        )
        return reading

    def _asked(self, path: Path, kind: str) -> Reading:
        request = json.dumps({"path": str(path), "kind": kind}) + "\n"
        child = self._send(request.encode())
        try:
            line = _line(child, time.monotonic() + self.seconds)
        except TimeoutError:
            self.close()
            return unreadable(f"takes longer than {self.seconds:g} seconds")
        if not line:
            self.close()
            return unreadable("breaks the program that reads it")
        return Reading.from_json(json.loads(line))

    def _send(self, request: bytes) -> subprocess.Popen[bytes]:
        """Give the request to the child; an idle one may have ended meanwhile."""
        if self._child is not None:
            try:
                return _write(self._child, request)
            except BrokenPipeError:
                self.close()
        self._child = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        return _write(self._child, request)

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is None:
            return
        self._child.kill()
        self._child.communicate()
        self._child = None


def _write(child: subprocess.Popen[bytes], request: bytes) -> subprocess.Popen[bytes]:
    assert child.stdin is not None
    child.stdin.write(request)
    child.stdin.flush()
    return child


def _line(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """The child's next line; empty when it has died. Raises TimeoutError past the deadline."""
    assert child.stdout is not None
    received = b""
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
            raise TimeoutError
        part = os.read(child.stdout.fileno(), _CHUNK)
        if not part:
            return b""
        received += part
    return received
