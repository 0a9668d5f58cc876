"""Pages with stages side by side in a real pool, and side effects behind the response."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from feed import services
from feed.candidate_pipeline import Background, Threads
from feed.home_mixer import clients
from feed.models import Receipt
from feed.types import FeedRequest
from tests.factories import PostFactory


def closing(call):
    """Run a task and leave no connection behind, so that the test's database can be dropped."""
    try:
        return call()
    finally:
        connection.close()


@pytest.fixture
def threaded(monkeypatch):
    roomy = clients.patient().budgets
    shared = clients.Clients(Threads(4, around=closing), Background(1, around=closing), roomy)
    monkeypatch.setattr(clients, "shared", lambda: shared)
    services.pipelines.cache_clear()
    yield shared
    services.pipelines.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_concurrent_pages_are_whole_and_leave_receipts(threaded, viewer, friend, models):
    written = {PostFactory(author=friend).pk for _ in range(6)}

    def load(number):
        return closing(lambda: services.for_you(viewer, request=FeedRequest(platform=f"client{number}")))

    with ThreadPoolExecutor(4) as callers:
        pages = list(callers.map(load, range(8)))
    threaded.background.drain()
    assert all({item.post_id for item in page.items if item.kind == "post"} == written for page in pages)
    assert all(page.degraded == () for page in pages)
    assert set(Receipt.objects.values_list("pk", flat=True)) == {page.request_id for page in pages}
