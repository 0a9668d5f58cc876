"""The benchmark of Grox at work, with the worker in a thread of the test."""

import os
from contextlib import contextmanager

import pytest
from celery.contrib.testing.worker import start_worker
from django.core.exceptions import ValidationError

from accounts.models import User
from moderation.grox import bench, in_flight
from moderation.management.commands import bench_grox
from posts.models import Post
from tests.factories import PostFactory
from xsocial.celery import app
from xsocial.kernel import redis


@contextmanager
def worker_in_a_thread():
    app.loader.import_default_modules()
    with start_worker(app, perform_ping_check=False, pool="solo", queues=["grox.realtime"], shutdown_timeout=30):
        yield os.getpid()


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # by Celery, about its results
def test_a_backlog_is_drained_measured_and_removed(monkeypatch):
    redis.client("broker").delete(in_flight.KEY)
    monkeypatch.setattr(bench, "worker", worker_in_a_thread)
    monkeypatch.setattr(bench_grox, "LATENCIES", 2)
    figures = bench_grox.at_work(40)
    assert figures["post_to_label"]["p95_ms"] > 0
    backlog = figures["backlog"]
    assert backlog["posts"] == 40
    assert backlog["posts_per_s"] == pytest.approx(40 / backlog["seconds"])
    assert backlog["peak_mb"] >= max(figures["memory_mb"].values()) > 50
    assert not User.objects.filter(username__startswith=bench.NAMED).exists()


@pytest.mark.django_db
def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_else():
    left = PostFactory(author__username=f"{bench.NAMED}0123abcd")
    others = PostFactory(author__username="bench0123abcd")
    with bench.author() as account:
        assert list(User.objects.filter(username__startswith=bench.NAMED)) == [account]
    assert list(Post.objects.filter(pk__in=[left.pk, others.pk])) == [others]


def test_nobody_can_take_the_name_of_a_benchmark():
    with pytest.raises(ValidationError):
        User(username=f"{bench.NAMED}0123abcd").clean_fields()
