"""Thunder as a real process beside web: it loads, follows the log, and may die without a page failing."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from feed.rpc.thunder import RemoteThunder
from feed.rpc.thunder_socket import SocketThunder
from feed.thunder import service
from posts import services as posts
from tests.factories import PostFactory, UserFactory
from xsocial.kernel.event_log.relay import relay_batch
from xsocial.settings.test import free_port

COMMAND = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv.pop(1)
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


@pytest.fixture(params=["grpc", "socket"])
def process(request, tmp_path):
    """`manage.py thunder` on the test's stores, with the feed pointed at it."""
    address, path = f"127.0.0.1:{free_port()}", tmp_path / "thunder.sock"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "xsocial.settings.test",
        "XSOCIAL_PG_PORT": str(settings.PG_PORT),
        "XSOCIAL_KV_PORT": str(settings.KV_PORT),
        "XSOCIAL_DATA_DIR": str(settings.DATA_DIR),
    }
    arguments = [connection.settings_dict["NAME"], "thunder", f"--address={address}", f"--socket={path}"]
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", COMMAND, *arguments], cwd=settings.BASE_DIR, env=environment
    )
    remote = RemoteThunder(address, timeout_s=5) if request.param == "grpc" else SocketThunder(str(path), timeout_s=5)
    service.use(remote)
    yield child
    service.use(None)
    child.kill()
    child.wait()


@pytest.mark.django_db(transaction=True)
def test_the_feed_asks_it_and_does_without_it_when_it_dies(process, client):
    author = UserFactory()
    first = PostFactory(author=author)

    def ask():
        following = np.array([author.pk])
        found = service.recent_posts(viewer_id=1, following=following, exclude=np.empty(0, np.int64), max_results=50)
        return found.post_id.tolist()

    eventually(lambda: ask() == [first.pk] and service.is_ready())
    second = PostFactory(author=author)
    posts.delete_post(actor=author, post=first)
    committed = time.monotonic()
    relay_batch()
    # PostgreSQL would know at once: only an answer from memory counts.
    eventually(lambda: ask() == [second.pk] and service.is_ready())
    assert time.monotonic() - committed < 1
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert ask() == [second.pk]
    assert service.state().endswith("not_ready")
    assert client.get("/readyz").status_code == 200


def eventually(holds, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
