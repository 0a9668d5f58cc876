"""Probes, metrics and what the site says when PostgreSQL is away."""

import gc
import os
import subprocess
import sys
import threading

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from feed import rehearsal
from feed.models import Receipt, ServedHistory
from tests.factories import FollowFactory, PostFactory
from xsocial import health, middleware


@pytest.mark.django_db
def test_a_ready_site_says_so(client: Client):
    response = client.get("/readyz")
    assert response.status_code == 200
    parts = {"status": "ok", "database": "ok", "valkey": "ok", "migrations": "ok"}
    assert response.json() == parts | {"thunder": "off: PostgreSQL answers", "pages": "ok"}


@pytest.mark.django_db
def test_readiness_names_the_part_that_is_missing(client: Client, monkeypatch):
    monkeypatch.setitem(health.CHECKS, "database", lambda: "connection refused")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "connection refused"


@pytest.mark.django_db
def test_a_process_is_not_ready_before_it_has_drawn_a_page(client: Client, monkeypatch):
    may_end = threading.Event()
    thread = threading.Thread(target=may_end.wait, args=(10,))
    monkeypatch.setattr(rehearsal, "_thread", thread)
    thread.start()
    answer = client.get("/readyz")
    may_end.set()
    thread.join()
    assert (answer.status_code, answer.json()["pages"]) == (503, "warming up")
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_rehearsal_draws_a_page_and_leaves_no_trace():
    assert rehearsal.page() == 0
    followed = FollowFactory().followee
    PostFactory(author=followed, text="Drawn before anybody asks")
    assert rehearsal.page() > 5_000
    assert not ServedHistory.objects.exists()
    assert not Receipt.objects.exists()


def test_what_a_process_has_loaded_is_not_walked_through_again():
    try:
        rehearsal.settle()
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
    finally:
        gc.unfreeze()


@pytest.mark.django_db
def test_a_site_without_valkey_is_still_ready(client: Client, monkeypatch):
    monkeypatch.setattr("xsocial.kernel.redis.url", lambda db: "redis://127.0.0.1:1/0")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["valkey"] != "ok"


def test_liveness_asks_nobody(client: Client):
    assert client.get("/healthz").json()["status"] == "ok"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/background"])
def test_metrics_are_for_this_machine_or_a_token(client: Client, settings, path):
    assert client.get(path).status_code == 200
    assert client.get(path, REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get(path, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    settings.METRICS_TOKEN = "let-me-in"
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get(path, headers={"Authorization": "Bearer let-me-in"}, **stranger).status_code == 200
    assert client.get(path, headers={"Authorization": "Bearer guess"}, **stranger).status_code == 403


def test_what_background_processes_count_is_added_up(client: Client, settings, tmp_path):
    settings.METRICS_DIR = tmp_path
    script = """
import django
django.setup()
from xsocial.kernel import metrics
metrics.counter("walks", "Walks", ("dog",)).labels("rex").inc(2)
metrics.histogram("walk_seconds", "Duration of a walk").observe(3)
"""
    for name in ("relay", "worker"):
        folder = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / name), "XSOCIAL_AUTOSTART": "0"}
        subprocess.run([sys.executable, "-W", "ignore", "-c", script], env={**os.environ, **folder}, check=True)
    lines = client.get("/metrics/background").text.splitlines()
    assert 'xsocial_walks_total{dog="rex"} 4.0' in lines
    assert "xsocial_walk_seconds_count 2.0" in lines
    assert not any("walks" in line for line in client.get("/metrics").text.splitlines())


def test_a_request_id_is_taken_over_and_sent_back(client: Client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-123"})["X-Request-ID"] == "abc-123"
    forged = client.get("/healthz", headers={"X-Request-ID": "a\tb level=error"})["X-Request-ID"]
    assert len(forged) == 32


@pytest.mark.parametrize("path", ["/", "/api/v1/timelines/home"])
def test_a_lost_database_gives_503_and_a_time_to_come_back(rf: RequestFactory, path: str):
    def lost(request):
        raise OperationalError("server closed the connection")

    response = middleware.DatabaseDownMiddleware(lost)(rf.get(path))
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert (response["Content-Type"] == "application/json") is path.startswith("/api/")


@pytest.mark.django_db
def test_an_operational_error_with_the_database_alive_stays_an_error(rf: RequestFactory):
    answer = middleware.DatabaseDownMiddleware(lambda request: None).process_exception(
        rf.get("/"), OperationalError("lock timeout")
    )
    assert answer is None
