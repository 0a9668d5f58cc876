"""What ranks the feed is public, and its log can be checked by anybody."""

import hashlib
import json

import pytest
from django.db import connection

from feed import weights
from feed.home_mixer.params import PUBLISHED_WEIGHTS
from feed.models import WeightChange
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed():
    """Three changes by an operator."""
    operator = UserFactory(username="keeper")
    chosen = weights.create(name="kinder", weights={"report": -500.0})
    weights.activate(weight_set=chosen, reason="fewer reported posts", actor=operator)
    weights.set_parameter("result_size", 20, reason="shorter pages", actor=operator)
    weights.reset_parameter("result_size", reason="longer again")


def test_anybody_reads_what_is_in_force(client, changed):
    now = client.get("/api/v1/feed/ranking").json()
    report = next(row for row in now["weights"] if row["head"] == "report")
    assert report == {"head": "report", "weight": -500.0, "published": PUBLISHED_WEIGHTS["report"]}
    assert now["weight_set"] == WeightChange.objects.last().weight_set_id
    sizes = {row["name"]: row for row in now["parameters"]}
    assert sizes["thunder_max_results"]["value"] == 400
    assert sizes["thunder_max_results"]["published"] == 1200
    assert now["models"] == []


def test_a_live_parameter_says_why(client):
    weights.set_parameter("result_size", 20, reason="shorter pages")
    row = next(row for row in client.get("/api/v1/feed/ranking").json()["parameters"] if row["name"] == "result_size")
    assert (row["value"], row["because"]) == (20, "shorter pages")
    assert "shorter pages" in client.get("/about/feed").text


def test_the_log_is_checked_with_nothing_but_sha256(client, changed):
    lines = client.get("/api/v1/feed/changes").json()[::-1]
    assert [line["actor"] for line in lines] == ["keeper", "keeper", ""]
    previous = weights.GENESIS
    for line in lines:
        assert hashlib.sha256(line["text"].encode()).hexdigest() == line["digest"]
        said = json.loads(line["text"])
        assert said["previous"] == previous
        assert said["reason"] == line["reason"]
        previous = line["digest"]


def test_the_log_is_paged(client, changed):
    first = client.get("/api/v1/feed/changes?limit=2")
    assert [line["parameter"] for line in first.json()] == ["result_size", "result_size"]
    older = client.get(first["Link"].split(">")[0].lstrip("<"))
    assert [line["weight_set"] is None for line in older.json()] == [False]
    assert client.get("/api/v1/feed/changes?max_id=x").status_code == 422


def test_the_page_shows_changes_and_a_line_that_was_altered(client, changed):
    page = client.get("/about/feed").text
    assert "fewer reported posts" in page
    assert "all of them hold" in page
    with connection.cursor() as cursor:
        cursor.execute("UPDATE feed_weightchange SET reason = 'innocent' WHERE parameter = '' ")
    assert "altered afterwards" in client.get("/about/feed").text


@pytest.mark.parametrize("address", ["/about/feed", "/api/v1/feed/ranking", "/api/v1/feed/changes"])
def test_the_cost_does_not_grow_with_the_log(client, changed, address, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        client.get(address)
