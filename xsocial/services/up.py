"""`manage.py up`: from an empty folder to a running site, then keep it running.

Services, migrations, the demo world and the first model come in order and show their progress;
what is there already is left alone, so a second start takes seconds. The steps that need Django
run as commands of their own: this process stays small and keeps watch.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xsocial.services.embedded import embedded, lock_path, start_all
from xsocial.services.errors import ServiceError
from xsocial.services.process import Program, die_with
from xsocial.services.supervisor import AlreadyRunning, Lock, Supervisor, require_free_port
from xsocial.settings import env, stores

OWNER = "manage.py up"
MANAGE = str(env.BASE_DIR / "manage.py")
# One core each; one of the two shows its progress.
FIRST_RANKER = ["phoenix_train", "--bootstrap", "--only", "ranker", "--minutes", "0.75"]
FIRST_RETRIEVAL = ["phoenix_train", "--bootstrap", "--only", "retrieval", "--minutes", "0.7", "--verbosity", "0"]
# What beat would do within the day, so that the first page has every source.
JOBS = ["feed_jobs"]
QUEUES = "default,media,grox.realtime,grox.safety,grox.embed,grox.media,grox.asr,grox.recovery,training"
BACKGROUND = ("relay", "grox", "worker", "beat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `up`."""
    parser.add_argument("--port", type=int, default=env.port("XSOCIAL_WEB_PORT", 8000), help="web port (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--no-seed", action="store_true", help="leave an empty world empty")
    parser.add_argument("--no-train", action="store_true", help="do without a model")
    parser.add_argument("--exit-when-ready", action="store_true", help="stop again once the site answers")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Bring everything up and keep watch until Ctrl-C."""
    began = time.monotonic()
    lock = Lock(stores.DATA_DIR / "up.lock")
    try:
        lock.acquire(OWNER)
    except AlreadyRunning as error:
        raise ServiceError(f"{error}; stop it first, or set XSOCIAL_DATA_DIR for a second site") from None
    require_free_port(options.port, setting="--port or XSOCIAL_WEB_PORT")
    supervisor = Supervisor(stores.DATA_DIR)
    supervisor.handle_signals()
    supervisor.clean_up()
    try:
        state = _bring_up(supervisor, options)
        _announce(options, state, time.monotonic() - began)
        supervisor.watch(until=lambda: options.exit_when_ready)
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
    finally:
        supervisor.stop()
        lock.release()
    return 0


def _bring_up(supervisor: Supervisor, options: argparse.Namespace) -> dict[str, Any]:
    """Do what is missing, start what is ours; returns the state of the world."""
    _start_services(supervisor)
    state = _world_state()
    kernels = None
    if state["num_migrations_missing"]:
        kernels = _Command(["phoenix_compile", "--verbosity", "0"])  # the ranker's; not needed before there is a world
        with _step("database tables") as begin:
            # The checks would load the pages and with them the model libraries; `make check` runs them.
            begin(["migrate", "--no-input", "--verbosity=0", "--skip-checks"])
        state = state if state["is_empty"] else _world_state()
    has_news = False
    if (not state["has_people"] or _unfinished("seed_world").exists()) and not options.no_seed:
        with _step("demo world") as begin:
            begin(["seed_world", "--if-empty"])
        has_news = True
    if kernels:
        kernels.wait()
    if not state["has_model"] and not options.no_train:
        with _step("models, communities and interests") as begin:
            begin(FIRST_RANKER)
            begin(FIRST_RETRIEVAL).wait()  # it is done first, and leaves its core to the jobs
            begin(JOBS)
        has_news = True
    elif has_news:
        with _step("communities and interests") as begin:
            begin(JOBS)
    with ThreadPoolExecutor(1) as meanwhile:
        news = meanwhile.submit(_world_state) if has_news else None
        for program in programs(options):
            supervisor.start(program, wait=program.name == "web")
    return news.result() if news else state


def _start_services(supervisor: Supervisor) -> None:
    """Own the services, unless `services start` runs them already: then they are used as they are."""
    try:
        services_lock = Lock(lock_path())
        services_lock.acquire(OWNER)
    except AlreadyRunning:
        print("using the services that are running already", flush=True)
        return
    _kept_open.append(services_lock)
    start_all(supervisor, embedded())


# Closing a lock's file frees it, so locks live as long as the process.
_kept_open: list[Lock] = []


class _Command:
    """A command of `manage.py` on its way, with its own progress lines on this terminal."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        _unfinished(arguments[0]).touch()
        bound_to_us = die_with(os.getpid(), signal.SIGTERM)
        command = [sys.executable, MANAGE, *arguments]
        self._process = subprocess.Popen(command, env=_environment(), preexec_fn=bound_to_us)

    def wait(self) -> None:
        """Return at its good end. Raises ServiceError at another."""
        if code := self._process.wait():
            raise ServiceError(f"`manage.py {' '.join(self._arguments)}` ended with {code}")
        _unfinished(self._arguments[0]).unlink(missing_ok=True)

    def stop(self) -> None:
        """Do without its result."""
        self._process.terminate()


@contextmanager
def _step(title: str) -> Iterator[Callable[[list[str]], _Command]]:
    """Commands begun in this step run side by side; the step ends with the last of them, or with the first failure."""
    began = time.monotonic()
    print(f"      up | {title}", flush=True)
    commands: list[_Command] = []

    def begin(arguments: list[str]) -> _Command:
        commands.append(_Command(arguments))
        return commands[-1]

    try:
        yield begin
        for command in commands:
            command.wait()
    except ServiceError as error:
        for command in commands:
            command.stop()
        raise ServiceError(f"{title} failed: {error}") from None
    print(f"      up | {title}: done in {time.monotonic() - began:.1f} s", flush=True)


def _unfinished(command: str) -> Path:
    """Exists from a step's beginning to its good end: an interrupted one is completed next time."""
    return stores.DATA_DIR / f"unfinished-{command}"


def _environment() -> dict[str, str]:
    """Children must neither start services of their own nor buffer what they say."""
    return {**os.environ, "XSOCIAL_AUTOSTART": "0", "PYTHONUNBUFFERED": "1"}


def _world_state() -> dict[str, Any]:
    """What the database holds already, and who can sign in."""
    answer = subprocess.run(
        [sys.executable, MANAGE, "world_state", "--json"],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise ServiceError(f"cannot look into the database: {answer.stderr.strip().splitlines()[-1]}")
    return json.loads(answer.stdout)


def programs(options: argparse.Namespace) -> list[Program]:
    """The site's own processes; web comes first and answers before the others begin."""
    python = [sys.executable, "-u"]
    celery = [*python, "-m", "celery", "-A", "xsocial"]
    uvicorn = [
        *python,
        "-m",
        "uvicorn",
        "xsocial.asgi:application",
        "--host",
        options.host,
        "--port",
        str(options.port),
    ]
    common = {
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "XSOCIAL_AUTOSTART": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(env.BASE_DIR),
    }
    beat_file = stores.DATA_DIR / "beat-schedule"
    metrics = stores.DATA_DIR / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # of processes that are gone
    background = {name: {**common, "PROMETHEUS_MULTIPROC_DIR": str(metrics / name)} for name in BACKGROUND}
    return [
        Program(
            name="web",
            # Open sockets must not hold up a stop; access lines come from our own logs if wanted.
            command=[*uvicorn, "--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"],
            environment={**common, "XSOCIAL_DB_POOL": "1"},
            is_ready=lambda: _is_site_ready(options),
            asks_every_s=0.25,
        ),
        Program(name="relay", command=[*python, MANAGE, "relay"], environment=background["relay"]),
        Program(name="grox", command=[*python, MANAGE, "grox_dispatcher"], environment=background["grox"]),
        Program(
            name="worker",
            # Two children: a training run occupies one, posts go on being looked at in the other.
            command=[*celery, "worker", "-Q", QUEUES, "--concurrency", "2", "--loglevel", "WARNING", "-n", "all@%h"],
            environment=background["worker"],
            # Without us its broker is gone, so an orderly end would hang; tasks are done again after a loss.
            orphan_signal=signal.SIGKILL,
        ),
        Program(
            name="beat",
            command=[*celery, "beat", "--schedule", str(beat_file), "--pidfile", "", "--loglevel", "WARNING"],
            environment=background["beat"],
        ),
    ]


def _site(options: argparse.Namespace) -> str:
    host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host
    return f"http://{host}:{options.port}"


def _is_site_ready(options: argparse.Namespace) -> bool:
    try:
        with urllib.request.urlopen(f"{_site(options)}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _announce(options: argparse.Namespace, state: dict[str, Any], seconds: float) -> None:
    """Where the site is and who can sign in."""
    print(f"\n  xsocial is ready after {seconds:.1f} s:  {_site(options)}\n")
    for username in state["demo_users"]:
        print(f"    sign in as  {username:<20} password  {state['demo_password']}")
    for username in state["operators"]:
        print(f"    operate as  {username:<20} password  {state['demo_password']}   at /admin/ and /moderation")
    print("\n  Ctrl-C stops everything.\n", flush=True)
