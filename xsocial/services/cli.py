"""The commands that run before Django can: `up`, and `services start|stop|status|run`."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from xsocial.services import up
from xsocial.services.embedded import OWNER, embedded, lock_path, run_until_stopped
from xsocial.services.errors import ServiceError
from xsocial.services.process import open_log
from xsocial.services.supervisor import AlreadyRunning, read_holder
from xsocial.settings import env, stores

START_TIMEOUT_S = 90.0
# These ask nothing of a database, so nothing is started for them.
WITHOUT_STORES = {
    "",
    "help",
    "version",
    "check",
    "makemessages",
    "compilemessages",
    "collectstatic",
    "findstatic",
    "startapp",
    "spectacular",
    "makemigrations",
    "sqlmigrate",
    "diffsettings",
    "check_blending",
    "phoenix_benchmark",
    "phoenix_run",
    "phoenix_verify",
    "test",
}


def handles(argv: Sequence[str]) -> bool:
    """Whether the command line is one of ours; `help up` and the like stay Django's."""
    return len(argv) > 1 and argv[1] in {"up", "services"}


def main(arguments: Sequence[str]) -> int:
    """Run one of our commands; returns the exit code."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py")
    commands = parser.add_subparsers(required=True)
    up.add_arguments(commands.add_parser("up", help="start everything and keep it running"))
    services = commands.add_parser("services", help="the embedded PostgreSQL and Valkey alone")
    actions = services.add_subparsers(required=True, metavar="start|stop|status|run")
    for name, run, text in (
        ("start", start, "start them in the background and return"),
        ("stop", stop, "stop those in the background"),
        ("status", status, "say what answers where; exit 1 when something does not"),
        ("run", run_in_foreground, "run them in the foreground"),
    ):
        actions.add_parser(name, help=text).set_defaults(run=run)
    return parser


def ensure_services(argv: Sequence[str]) -> None:
    """Start the embedded services for a command that needs them and finds them down."""
    command = argv[1] if len(argv) > 1 else ""
    wants_help = any(argument in {"-h", "--help"} for argument in argv)
    if command in WITHOUT_STORES or wants_help or not env.boolean("XSOCIAL_AUTOSTART", True):
        return
    if any(not service.answers() for service in embedded()):
        _start_in_background()
        print("manage.py: started the embedded services; `manage.py services stop` ends them", file=sys.stderr)


def start(options: argparse.Namespace) -> int:
    """Start the services in the background and wait until they answer."""
    if not embedded():
        print("nothing to start: DATABASE_URL and REDIS_URL name your own services")
        return 0
    if all(service.answers() for service in embedded()):
        print("already running")
        return 0
    began = time.monotonic()
    _start_in_background()
    print(f"started in {time.monotonic() - began:.1f} s: {_places()}")
    return 0


def _start_in_background() -> None:
    """Spawn the background process; if another start was quicker, its services are awaited."""
    log_file = open_log(stores.DATA_DIR / "log" / "services.log")
    process = subprocess.Popen(
        [sys.executable, str(env.BASE_DIR / "manage.py"), "services", "run"],
        stdin=subprocess.DEVNULL,
        stdout=log_file,
        stderr=log_file,
        start_new_session=True,
        cwd=env.BASE_DIR,
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not all(service.answers() for service in embedded()):
        if process.poll() not in (None, 0):
            raise ServiceError(f"the embedded services did not start: {_last_line()}")
        if time.monotonic() > deadline:
            raise ServiceError(f"the embedded services are not ready; see {stores.DATA_DIR}/log")
        time.sleep(0.05)


def _last_line() -> str:
    lines = (stores.DATA_DIR / "log" / "services.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the log is empty"


def run_in_foreground(options: argparse.Namespace) -> int:
    """Run the services until a signal; a second one finds the first and leaves quietly."""
    try:
        run_until_stopped()
    except AlreadyRunning as error:
        print(error)
    return 0


def stop(options: argparse.Namespace) -> int:
    """Stop the background process and wait until it is gone."""
    holder = read_holder(lock_path())
    if not holder:
        print("not running")
        return 0
    if holder["owner"] != OWNER:
        print(f"the services belong to {holder['owner']} (process {holder['pid']}): stop that", file=sys.stderr)
        return 1
    os.kill(holder["pid"], 15)
    deadline = time.monotonic() + 40
    while read_holder(lock_path()):
        if time.monotonic() > deadline:
            raise ServiceError(f"process {holder['pid']} does not stop")
        time.sleep(0.05)
    print("stopped")
    return 0


def status(options: argparse.Namespace) -> int:
    """Tell what answers where; exit 1 when something does not."""
    holder = read_holder(lock_path())
    services = embedded()
    for service in services:
        state = "answers" if service.answers() else "does not answer"
        print(f"{service.name:>10}  127.0.0.1:{service.port}  {state}")
    if holder:
        print(f"{'owner':>10}  {holder['owner']} (process {holder['pid']})")
    if not services:
        print("external services: DATABASE_URL and REDIS_URL are set")
    return 0 if all(service.answers() for service in services) else 1


def _places() -> str:
    return ", ".join(f"{service.name} on 127.0.0.1:{service.port}" for service in embedded())
