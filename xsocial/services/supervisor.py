"""Keeps programs running: in order, restarted with growing pauses, stopped in reverse.

The foreground of `manage.py up`, and of the background process behind `manage.py services start`.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xsocial.services.errors import ServiceError
from xsocial.services.process import Child, Program, end_leftovers, start_time

MAX_PAUSE_S = 30.0
# A child that ran this long had started well: its next fall begins with a short pause again.
HEALTHY_AFTER_S = 60.0
MAX_ESSENTIAL_RESTARTS = 2
COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)


class AlreadyRunning(ServiceError):
    """Another supervisor owns this data folder."""


class Lock:
    """A file that one supervisor holds for its life, and that tells who it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+")

    def acquire(self, owner: str) -> None:
        """Take it, or raise `AlreadyRunning` naming the holder. The kernel frees it when we die."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            holder = read_holder(self.path)
            name, pid = holder.get("owner", "another process"), holder.get("pid", "?")
            raise AlreadyRunning(f"already running: {name} (process {pid})") from None
        self._file.truncate(0)
        self._file.write(json.dumps({"owner": owner, "pid": os.getpid(), "start": start_time(os.getpid())}))
        self._file.flush()

    def release(self) -> None:
        """Give it up."""
        self._file.truncate(0)
        self._file.close()


def read_holder(path: Path) -> dict[str, Any]:
    """Who holds the lock: owner and pid. Empty when nobody alive does."""
    try:
        holder = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return holder if start_time(holder["pid"]) == holder["start"] else {}


class Supervisor:
    """Owns a list of children. Use it from the main thread only (see `process`)."""

    def __init__(self, data_dir: Path, *, is_quiet: bool = False) -> None:
        self.data_dir = data_dir
        self.is_stopping = False
        self._is_quiet = is_quiet
        self._children: list[Child] = []
        self._restarts: dict[str, int] = {}
        self._due: dict[str, tuple[float, Program]] = {}

    def handle_signals(self) -> None:
        """Ctrl-C, a polite kill and a closed terminal all end everything in order."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self.is_stopping = True
        raise KeyboardInterrupt

    def clean_up(self) -> None:
        """End what a killed predecessor left behind."""
        for name in end_leftovers(self.data_dir):
            self.say("up", f"ended {name}, left over from a supervisor that was killed")

    def start(self, program: Program, *, wait: bool = True) -> Child:
        """Start a program and, unless told otherwise, wait until it is ready."""
        child = Child(program, data_dir=self.data_dir, on_line=self.say)
        self._children.append(child)
        if wait:
            child.wait_ready()
        return child

    def watch_once(self) -> None:
        """Restart what has ended and is due. `ServiceError` when an essential child stays down."""
        for child in list(self._children):
            if child.exit_code is not None:
                self._children.remove(child)
                self._schedule(child)
        now = time.monotonic()
        for name, (due_at, program) in list(self._due.items()):
            if now >= due_at:
                del self._due[name]
                self.start(program, wait=program.is_essential)

    def _schedule(self, child: Child) -> None:
        name = child.program.name
        if time.monotonic() - child.started_at > HEALTHY_AFTER_S:
            self._restarts[name] = 0
        count = self._restarts[name] = self._restarts.get(name, 0) + 1
        if child.program.is_essential and count > MAX_ESSENTIAL_RESTARTS:
            raise ServiceError(f"{name} ended {count} times, giving up: {child.last_words()}")
        # PostgreSQL and Valkey recover by themselves, and everything waits for them.
        pause = 0.5 if child.program.is_essential else min(2.0 ** (count - 1), MAX_PAUSE_S)
        self.say("up", f"{name} ended with {child.exit_code}; starting it again in {pause:.1f} s")
        self._due[name] = (time.monotonic() + pause, child.program)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch over the children until told to stop."""
        while not self.is_stopping and not until():
            self.watch_once()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop everything, last started first; a second Ctrl-C does not cut this short."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        essential = [child for child in self._children if child.program.is_essential]
        others = [child for child in self._children if not child.program.is_essential]
        for child in others:  # these need no order among themselves
            child.ask_to_stop()
        for child in [*reversed(others), *reversed(essential)]:
            child.stop()
        self._children.clear()

    def say(self, name: str, line: str) -> None:
        """One line on the terminal, behind its program's name."""
        if self._is_quiet:
            return
        if sys.stdout.isatty():
            colour = COLOURS[sum(name.encode()) % len(COLOURS)]
            print(f"\033[{colour}m{name:>8} |\033[0m {line}", flush=True)
        else:
            print(f"{name:>8} | {line}", flush=True)


def require_free_port(port: int, *, setting: str) -> None:
    """Refuse a port that another program listens on, or none at all, naming the setting that changes it."""
    if not 0 < port < 65_536:
        raise ServiceError(f"there is no port {port}; set {setting} to one from 1 to 65535")
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ServiceError(f"port {port} is in use by another program; set {setting} to a free one")
