"""The supervisor: order, restarts, one owner, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xsocial.services.errors import ServiceError
from xsocial.services.process import Child, Program, end_leftovers, start_time
from xsocial.services.supervisor import AlreadyRunning, Lock, Supervisor, read_holder, require_free_port
from xsocial.settings import env

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def supervisor(tmp_path: Path):
    instance = Supervisor(tmp_path, is_quiet=True)
    yield instance
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    instance.stop()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_program_that_ends_before_it_is_ready_is_quoted(supervisor: Supervisor):
    broken = Program(
        "broken", [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"], is_ready=lambda: False
    )
    with pytest.raises(ServiceError, match="broken ended with 3: no such table"):
        supervisor.start(broken)


def test_a_program_that_cannot_start_is_named(supervisor: Supervisor):
    with pytest.raises(ServiceError, match="nothing does not start"):
        supervisor.start(Program("nothing", ["/no/such/program"]))


def test_a_child_that_dies_is_started_again(supervisor: Supervisor):
    first = supervisor.start(Program("sleeper", SLEEP))
    os.kill(first.pid, signal.SIGKILL)

    def is_replaced() -> bool:
        supervisor.watch_once()
        children = supervisor._children
        return len(children) == 1 and children[0].pid != first.pid

    wait_until(is_replaced)


def test_an_essential_child_that_keeps_dying_stops_everything(supervisor: Supervisor):
    supervisor.start(Program("store", [sys.executable, "-c", "print('disk full')"], is_essential=True))
    with pytest.raises(ServiceError, match="store ended 3 times, giving up: disk full"):
        wait_until(lambda: supervisor.watch_once())


def test_stopping_ends_a_child_and_its_own_children(tmp_path: Path):
    program = Program("family", ["/bin/sh", "-c", "sleep 60 & echo $!; wait"])
    child = Child(program, data_dir=tmp_path, on_line=lambda name, line: None)
    wait_until(lambda: child.tail)
    grandchild = int(child.tail[0])
    child.stop(timeout_s=5)
    wait_until(lambda: not start_time(grandchild))
    assert child.exit_code is not None


def test_killing_the_supervisor_leaves_nothing(tmp_path: Path):
    program = (
        "import sys, time; from pathlib import Path; from xsocial.services.supervisor import Supervisor;"
        "from xsocial.services.process import Program; s = Supervisor(Path(sys.argv[1]), is_quiet=True);"
        "print(s.start(Program('sleeper', [sys.executable, '-c', 'import time; time.sleep(60)'])).pid, flush=True);"
        "time.sleep(60)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=env.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    with owner.stdout as lines:
        pid = int(lines.readline())
    assert start_time(pid)
    owner.kill()
    owner.wait()
    if sys.platform != "linux":
        assert end_leftovers(tmp_path) == ["sleeper"]
    wait_until(lambda: not start_time(pid))


def test_leftovers_are_ended_but_never_a_stranger_with_the_same_number(tmp_path: Path):
    stranger = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL, start_new_session=True)
    pids = tmp_path / "pids"
    pids.mkdir()
    (pids / "web").write_text(f"{stranger.pid} another time")
    assert end_leftovers(tmp_path) == []
    assert stranger.poll() is None
    child, owner = (f"{pid} {start_time(pid)}" for pid in (stranger.pid, os.getpid()))
    (pids / "web").write_text(f"{child}\n{owner}")
    assert end_leftovers(tmp_path) == [], "its supervisor is alive"
    assert stranger.poll() is None
    (pids / "web").write_text(f"{child}\n1 another time")
    assert end_leftovers(tmp_path) == ["web"]
    assert stranger.wait(5) != 0
    assert list(pids.iterdir()) == []


def test_one_data_folder_has_one_owner(tmp_path: Path):
    path = tmp_path / "up.lock"
    first = Lock(path)
    first.acquire("manage.py up")
    assert read_holder(path)["pid"] == os.getpid()
    with pytest.raises(AlreadyRunning, match=rf"already running: manage.py up \(process {os.getpid()}\)"):
        Lock(path).acquire("manage.py services")
    first.release()
    assert read_holder(path) == {}
    second = Lock(path)
    second.acquire("manage.py services")
    assert read_holder(path)["owner"] == "manage.py services"
    second.release()


def test_a_port_in_use_is_named_with_its_setting():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port} is in use .*XSOCIAL_WEB_PORT"):
            require_free_port(port, setting="XSOCIAL_WEB_PORT")
    with pytest.raises(ServiceError, match="there is no port 99999"):
        require_free_port(99_999, setting="XSOCIAL_WEB_PORT")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"XSOCIAL_PG_PORT": "abc"}, "XSOCIAL_PG_PORT must be a whole number"),
        ({"DATABASE_URL": "mysql://host/name"}, "DATABASE_URL must be a URL"),
    ],
)
def test_manage_answers_a_bad_setting_with_one_line_and_2(variables: dict[str, str], message: str):
    done = subprocess.run(
        [sys.executable, "manage.py", "services", "status"],
        cwd=env.BASE_DIR,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"manage.py: {message}")
    assert done.stderr.count("\n") == 1
