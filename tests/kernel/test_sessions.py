"""Sessions: alive exactly as long as their row, whatever becomes of Valkey."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from tests.factories import UserFactory
from xsocial.kernel import redis
from xsocial.kernel.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    store = SessionStore()
    store["found"] = "yes"
    store.save()
    return store


def test_a_session_is_read_as_it_was_written(session):
    again = SessionStore(session.session_key)
    assert again["found"] == "yes"
    again["found"] = "again"
    again.save()
    assert SessionStore(session.session_key)["found"] == "again"


def test_an_expired_and_an_unknown_session_are_empty_and_lose_their_key(session):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    for key in (session.session_key, "k" * 32):
        store = SessionStore(key)
        assert "found" not in store
        assert store.session_key is None


def test_signing_out_holds_at_once_and_a_lost_cache_signs_nobody_out(client):
    client.force_login(UserFactory())
    cookie = client.cookies["sessionid"].value
    redis.client("cache").flushdb()
    assert client.get("/settings/profile").status_code == 200
    client.logout()
    client.cookies["sessionid"] = cookie  # somebody kept it
    assert client.get("/settings/profile").status_code == 302
