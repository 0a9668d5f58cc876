"""The benchmark of For You pages, on a small world like the one it makes for measuring."""

import time

import numpy as np
import pytest
from django.db import connection, transaction

from accounts.models import Follow, User
from feed.benchmarks import for_you, scratch
from posts.models import Engagement, Post


@pytest.mark.django_db(transaction=True)
def test_pages_of_a_world_made_for_measuring(models, monkeypatch):
    for name, small in (("VIEWERS", 2), ("FOLLOWS", 20), ("AROUND", 3), ("HISTORY", 10)):
        monkeypatch.setattr(scratch, name, small)
    monkeypatch.setattr(for_you, "CONCURRENT", 2)
    with transaction.atomic():
        scratch.fill(400, np.random.default_rng(1))
    viewers = User.objects.filter(following_count=20)
    assert (viewers.count(), Post.objects.count(), Engagement.objects.count()) == (2, 400, 20)
    assert Follow.objects.filter(follower=viewers[0]).count() == 20

    figures = for_you.run(viewers=2, rounds=2)

    assert figures["world"]["posts"] == 400
    for case in ("fresh", "cached"):
        assert figures[case]["candidates"] > 100
        assert figures[case]["failed_parts"] == 0
    for case in ("fresh", "cached", "fresh_2_viewers", "cached_2_viewers", "stage inner.hydrators"):
        assert 0 < figures[case]["p50_ms"] <= figures[case]["p99_ms"]
    assert figures["fresh_2_viewers"]["pages_per_second"] > 0
    deadline = time.monotonic() + 10  # PostgreSQL takes its time to notice that somebody left
    while others_connected() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not others_connected()  # nothing that would keep the world from being dropped


def others_connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]
