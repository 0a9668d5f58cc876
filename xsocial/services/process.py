"""One child process: started in a session of its own, bound to our life, stopped without remains.

On Linux the kernel itself signals a child when we die (PR_SET_PDEATHSIG), even by `kill -9`. That
holds for the thread that started it, so children are started from the main thread only. Elsewhere
the next start ends what the last one recorded in the `pids` folder.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from xsocial.services.errors import ServiceError

STOP_TIMEOUT_S = 15.0
READY_TIMEOUT_S = 120.0
MAX_LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1

# Loaded before any fork: nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The Unix account a child runs as, where it must not be ours."""

    uid: int
    gid: int


def as_account(account: Account | None) -> dict[str, Any]:
    """The arguments that make `subprocess` change to the account; none for our own."""
    return {"user": account.uid, "group": account.gid, "extra_groups": [], "cwd": "/"} if account else {}


@dataclass(frozen=True)
class Program:
    """What to run and how to treat it."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    # Asks for an orderly end; `orphan_signal` is for when the supervisor was killed.
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGTERM
    is_ready: Callable[[], bool] = lambda: True
    # How long between two questions whether it is: a question may cost the program some of its start.
    asks_every_s: float = 0.02
    # Whether what it says is shown on the terminal too, or only kept in its log.
    is_shown: bool = True
    # Everything else needs an essential program: if it cannot be kept up, all stops.
    is_essential: bool = False


class Child:
    """A running program, its log file and its last lines."""

    def __init__(self, program: Program, *, data_dir: Path, on_line: Callable[[str, str], None]) -> None:
        self.program = program
        self.tail: deque[str] = deque(maxlen=20)
        self.started_at = time.monotonic()
        self._on_line = on_line
        self._pid_file = data_dir / "pids" / program.name
        self._process = self._spawn()
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.write_text(f"{_identity(self._process.pid)}\n{_identity(os.getpid())}")
        log_file = open_log(data_dir / "log" / f"{program.name}.log")
        self._reader = threading.Thread(target=self._read, args=(log_file,), daemon=True, name=f"log-{program.name}")
        self._reader.start()

    def _spawn(self) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, **self.program.environment},
                start_new_session=True,
                preexec_fn=die_with(os.getpid(), self.program.orphan_signal),
                **as_account(self.program.account),
            )
        except OSError as error:
            raise ServiceError(f"{self.program.name} does not start: {error}") from error

    def _read(self, log_file: IO[str]) -> None:
        assert self._process.stdout is not None  # it was asked for as a pipe
        with log_file, self._process.stdout as lines:
            for line in lines:
                self.tail.append(line.rstrip())
                log_file.write(line)
                log_file.flush()
                if self.program.is_shown:
                    self._on_line(self.program.name, line.rstrip())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; this also reaps it."""
        return self._process.poll()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return once the program can be used; `ServiceError` with the end of its log if not."""
        deadline = time.monotonic() + timeout_s
        while not self.program.is_ready():
            if self.exit_code is not None:
                self._reader.join(1)
                raise ServiceError(f"{self.program.name} ended with {self.exit_code}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{self.program.name} was not ready after {timeout_s:.0f} s: {self.last_words()}")
            time.sleep(self.program.asks_every_s)

    def last_words(self) -> str:
        """The end of its output, in one line."""
        return " | ".join(list(self.tail)[-3:]) or "it said nothing"

    def ask_to_stop(self) -> None:
        """Send the orderly stop signal."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop_signal)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop it and whatever it started; returns when all are gone."""
        self.ask_to_stop()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(2)
        self._pid_file.unlink(missing_ok=True)


def die_with(parent: int, number: int) -> Callable[[], None] | None:
    """What the child does between fork and exec; runs after the change of account, or it would be lost."""
    if _libc is None:
        return None
    prctl = _libc.prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return bind


def open_log(path: Path) -> IO[str]:
    """The log for appending; a big one is set aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("a", encoding="utf-8")


def start_time(pid: int) -> str:
    """When the process began, in the system's own notation; tells a reused pid apart. Empty if gone."""
    if sys.platform != "linux":
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return answer.stdout.strip()
    try:
        # After the name, which may hold spaces: state is the 1st field, start the 20th.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def end_leftovers(data_dir: Path) -> list[str]:
    """End processes recorded by a supervisor that was killed; returns their names.

    Children of one that lives are its own: `up` beside `services start` leaves the stores alone.
    """
    ended = []
    for pid_file in sorted((data_dir / "pids").glob("*")):
        child, _, owner = pid_file.read_text().partition("\n")
        if _is_alive(owner):
            continue
        if _is_alive(child):
            ended.append(pid_file.name)
            _end(int(child.partition(" ")[0]))
        pid_file.unlink(missing_ok=True)
    return ended


def _identity(pid: int) -> str:
    """The process as a line of a file: its number, and its start, for numbers are used again."""
    return f"{pid} {start_time(pid)}"


def _is_alive(identity: str) -> bool:
    pid, _, started = identity.partition(" ")
    return pid.isdigit() and bool(started) and start_time(int(pid)) == started


def _end(pid: int) -> None:
    """Ask the session led by `pid` to stop, and insist after a while."""
    for number, patience_s in ((signal.SIGINT, 10.0), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        deadline = time.monotonic() + patience_s
        while start_time(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
