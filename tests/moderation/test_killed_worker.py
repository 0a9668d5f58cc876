"""A worker process that is killed in the middle of a batch: nothing is lost and nothing written twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from moderation import tasks
from moderation.grox import in_flight
from moderation.models import PostAnnotation, PostLabel
from posts.models import PostEmbedding
from tests.factories import PostFactory
from xsocial.kernel import redis

NUM_POSTS = 32
WORKER = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
# before the fork, so that neither child has to load them; one thread, because thread pools do not survive a fork
import torch
torch.set_num_threads(1)
from moderation.grox import documents, run, screening
screening.score(documents.documents_of([1], ["A fine morning in the park"]))
from xsocial.celery import app
app.worker_main(["worker", "-P", "prefork", "-c", "1", "-Q", "grox.realtime", "-l", "ERROR",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


def eventually(condition, seconds=240.0):
    """Wait until `condition()` is true and return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value


def child_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[-1]) if children else 0


@pytest.fixture
def worker():
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "xsocial.settings.test",
        "XSOCIAL_PG_PORT": str(settings.PG_PORT),
        "XSOCIAL_KV_PORT": str(settings.KV_PORT),
        "XSOCIAL_DATA_DIR": str(settings.DATA_DIR),
    }
    command = [sys.executable, "-W", "ignore", "-c", WORKER, connection.settings_dict["NAME"]]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    yield process
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.mark.django_db(transaction=True)
def test_a_batch_survives_kill_9(worker):
    redis.client("broker").delete(in_flight.KEY)
    made = [PostFactory(text=f"A fine morning in the park, the ducks are back. {n}") for n in range(NUM_POSTS)]
    tasks.analyze_posts.apply_async([[post.pk for post in made]], {"stream": "realtime"})

    # the first plan has written what it found, the others have not, and nobody was told that the batch is done
    eventually(PostEmbedding.objects.exists)
    os.kill(child_of(worker.pid), signal.SIGKILL)
    assert PostAnnotation.objects.count() == 0, "too late to kill anything"
    eventually(lambda: PostAnnotation.objects.filter(plan="safety_ptos").count() == NUM_POSTS)
    labels = Counter(PostLabel.objects.values_list("label", flat=True))
    assert labels == {"GROK_SFA": NUM_POSTS, "PTOS_REVIEWED": NUM_POSTS}
    assert PostEmbedding.objects.count() == NUM_POSTS
    assert set(Counter(PostAnnotation.objects.values_list("post", "plan")).values()) == {1}
