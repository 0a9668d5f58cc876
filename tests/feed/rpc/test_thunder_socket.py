"""Thunder over a Unix socket: the same answers as in process, and nothing that a caller sends stops it."""

import socket
import stat
import struct
import threading
import time
from multiprocessing.connection import Client

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from feed import services
from feed.rpc import thunder_socket
from feed.rpc.thunder_socket import SocketServer, SocketThunder
from feed.thunder import service
from feed.thunder.post_store import PostColumns, Request
from feed.thunder.service import Embedded
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import Invalid, Unavailable

VIEWER = 1


@pytest.fixture
def backend():
    """A loaded store: ten posts each by authors 2 and 3."""
    backend = Embedded()
    made = [(ids.next_id(), author) for _ in range(10) for author in (2, 3)]
    posts = [(post_id, author, ids.timestamp_ms(post_id), 0, 0, 0, 0, post_id, 0) for post_id, author in made]
    backend.store.insert(PostColumns.of(posts), now_ms=clock.now_ms())
    backend.listener.ready = True
    return backend


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thunder.sock"


@pytest.fixture
def server(path, backend):
    server = SocketServer(path, backend)
    server.start()
    yield server
    server.close()


@pytest.fixture
def client(path):
    return SocketThunder(str(path), timeout_s=5)


def question(following=(2, 3), exclude=(), **fields):
    return Request(VIEWER, np.array(following, np.int64), np.array(exclude, np.int64), **fields)


def reason(client, asked=None):
    with pytest.raises(Unavailable) as error:
        client.lookup(asked or question())
    return error.value.extra["reason"]


def test_the_client_gives_what_the_store_gives(server, client, backend):
    newest = backend.lookup(question()).posts.post_id[:2]
    for asked in (question(), question(max_results=3), question(exclude=newest), question(following=[9])):
        ours, theirs = backend.lookup(asked), client.lookup(asked)
        assert (theirs.complete, theirs.path, theirs.scanned) == (ours.complete, ours.path, ours.scanned)
        for column in PostColumns.__dataclass_fields__:
            assert getattr(theirs.posts, column).tolist() == getattr(ours.posts, column).tolist()
    assert client.state == "ok"


def test_many_ask_at_the_same_time(server, client):
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(len(client.lookup(question()).posts) for _ in range(25)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 200


def test_a_store_that_still_loads_says_so(server, client, backend):
    backend.listener.ready = False
    assert reason(client) == "not_ready"
    backend.listener.ready = True
    assert len(client.lookup(question()).posts) == 20


def test_a_store_that_has_enough_to_do_refuses(server, client, backend):
    backend._permits = threading.BoundedSemaphore(1)
    backend._permits.acquire()
    assert reason(client) == "refused"


def test_an_answer_after_the_deadline_is_not_waited_for_and_not_taken_for_the_next(path, backend):
    class Slow:
        state, seconds = "ok", 0.4

        def lookup(self, request):
            time.sleep(self.seconds)
            return backend.lookup(request)

    slow = Slow()
    server = SocketServer(path, slow)
    server.start()
    client = SocketThunder(str(path), timeout_s=5)
    started = time.monotonic()
    assert reason(client, question(following=[2], deadline=time.monotonic() + 0.05)) == "late"
    assert time.monotonic() - started < 0.4
    slow.seconds = 0
    assert len(client.lookup(question()).posts) == 20
    server.close()


def test_the_scan_is_told_four_fifths_of_what_its_caller_waits(path, backend):
    asked = []

    class Watching:
        def lookup(self, request):
            asked.append(request.deadline - time.monotonic())
            return backend.lookup(request)

    server = SocketServer(path, Watching())
    server.start()
    SocketThunder(str(path), timeout_s=100).lookup(question())
    server.close()
    assert 60 < asked[0] <= 80


def test_nobody_listening_is_not_ready(client):
    assert reason(client) == "not_ready"
    assert client.state.endswith("thunder.sock: not_ready")


@pytest.mark.parametrize(
    "frame", [b"", b"1234567", struct.pack("<d", 1.0), struct.pack("<d", 1.0) + b"\xff" * 20], ids=len
)
def test_what_cannot_be_read_is_answered_and_the_connection_lives(server, path, client, frame):
    with Client(str(path), "AF_UNIX") as raw:
        raw.send_bytes(frame)
        assert raw.recv_bytes() == b"\0failed"
        raw.send_bytes(frame)
        assert raw.recv_bytes() == b"\0failed"
    assert len(client.lookup(question()).posts) == 20


def test_a_frame_that_claims_to_be_huge_ends_its_connection(server, path, client):
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(struct.pack("!iQ", -1, 1 << 50))
        assert raw.recv(1) == b""
    assert len(client.lookup(question()).posts) == 20


def test_connections_are_bounded(path, backend, monkeypatch):
    monkeypatch.setattr(thunder_socket, "MAX_CONNECTIONS", 1)
    server = SocketServer(path, backend)
    server.start()
    first, second = SocketThunder(str(path), timeout_s=5), SocketThunder(str(path), timeout_s=5)
    assert len(first.lookup(question()).posts) == 20
    assert reason(second) == "not_ready"
    assert len(first.lookup(question()).posts) == 20
    server.close()


def test_a_moment_without_file_descriptors_does_not_end_it(path, backend, monkeypatch):
    monkeypatch.setattr(thunder_socket, "RETRY_S", 0.01)
    server = SocketServer(path, backend)
    accept, failures = server._listener.accept, [OSError(24, "Too many open files")] * 2

    def failing_first():
        if failures:
            raise failures.pop()
        return accept()

    monkeypatch.setattr(server._listener, "accept", failing_first)
    server.start()
    assert len(SocketThunder(str(path), timeout_s=5).lookup(question()).posts) == 20
    assert not failures
    server.close()


def test_only_its_own_account_may_ask(server, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_path_in_use_is_refused_and_one_left_behind_is_taken(server, path, backend):
    with pytest.raises(Invalid, match="Another process"):
        SocketServer(path, backend)
    left = path.with_name("left.sock")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    SocketServer(left, backend).close()
    assert not left.exists()


def test_the_command_says_where_it_cannot_listen(tmp_path):
    file = tmp_path / "a file"
    file.write_text("precious")
    for path in (file, tmp_path / "nowhere" / "thunder.sock", tmp_path / ("long" * 40)):
        with pytest.raises(CommandError) as error:
            call_command("thunder", address="127.0.0.1:0", socket=path)
        assert error.value.returncode == 2
    assert file.read_text() == "precious"


def test_the_setting_points_the_feed_at_it(server, path, settings):
    settings.THUNDER_TARGET = f"socket:{path}"
    settings.FEED_POOL_SIZE = 0
    services.warm_up()
    try:
        found = service.recent_posts(
            viewer_id=VIEWER, following=np.array([2]), exclude=np.empty(0, np.int64), max_results=5
        )
        assert len(found) == 5
        assert service.is_ready()
    finally:
        service.use(None)
