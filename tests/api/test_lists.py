"""Lists of people over REST: shapes, encodings, scopes, and whose they are."""

import pytest

from accounts import services as accounts
from posts import services
from tests.api.test_wire import token
from tests.factories import FollowFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def orla():
    return UserFactory(username="orla")


@pytest.fixture
def tide(orla):
    person = UserFactory(username="tide")
    FollowFactory(follower=orla, followee=person)
    return person


@pytest.fixture
def api(orla):
    return token(orla)


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_a_list_is_made_changed_and_deleted(api, kind):
    body = {"title": "Close", "replies_policy": "none", "exclusive": kind == "json" or "true"}
    made = api.post("/api/v1/lists", body, format=kind).json()
    assert made == {"id": made["id"], "title": "Close", "replies_policy": "none", "exclusive": True}
    assert api.get("/api/v1/lists/").json() == [made]
    changed = api.put(f"/api/v1/lists/{made['id']}", {"title": "Near"}, format=kind).json()
    assert changed == made | {"title": "Near"}
    assert api.get(f"/api/v1/lists/{made['id']}").json() == changed
    assert api.delete(f"/api/v1/lists/{made['id']}").json() == {}
    assert api.get(f"/api/v1/lists/{made['id']}").status_code == 404


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 101}, {"title": "x", "replies_policy": "all"}])
def test_bad_lists_are_refused(api, body):
    assert api.post("/api/v1/lists", body).status_code == 422
    assert api.get("/api/v1/lists").json() == []


@pytest.mark.parametrize("kind", ["json", "form", "query"])
def test_accounts_are_put_on_and_taken_off(api, orla, tide, kind):
    base = f"/api/v1/lists/{accounts.create_list(owner=orla, title='Close').pk}/accounts"

    def send(method):
        if kind == "query":
            return method(f"{base}?account_ids[]={tide.pk}")
        if kind == "json":
            return method(base, {"account_ids": [str(tide.pk)]}, format="json")
        return method(base, f"account_ids[]={tide.pk}", content_type="application/x-www-form-urlencoded")

    assert send(api.post).json() == {}
    assert [person["acct"] for person in api.get(base).json()] == ["tide"]
    assert [row["title"] for row in api.get(f"/api/v1/accounts/{tide.pk}/lists").json()] == ["Close"]
    assert send(api.delete).json() == {}
    assert api.get(base).json() == []


def test_strangers_cannot_be_put_on_a_list(api, orla):
    base = f"/api/v1/lists/{accounts.create_list(owner=orla, title='Close').pk}/accounts"
    assert api.post(base, {"account_ids": [UserFactory().pk]}).status_code == 404
    assert api.post(base, {}).status_code == 422
    assert api.get(base).json() == []


def test_members_come_in_pages_or_all_at_once(api, orla, django_assert_max_num_queries):
    close = accounts.create_list(owner=orla, title="Close")
    people = [UserFactory() for _ in range(25)]
    for person in people:
        FollowFactory(follower=orla, followee=person)
    accounts.add_to_list(people_list=close, user_ids=[person.pk for person in people])
    first = api.get(f"/api/v1/lists/{close.pk}/accounts?limit=20")
    address = first["Link"].split(">")[0].removeprefix("<")
    rest = api.get(address).json()
    with django_assert_max_num_queries(8):
        everybody = api.get(f"/api/v1/lists/{close.pk}/accounts?limit=0").json()
    assert [row["id"] for row in [*first.json(), *rest]] == [row["id"] for row in everybody]
    assert len(everybody) == 25


def test_the_timeline_holds_what_its_people_wrote(api, orla, tide, django_assert_max_num_queries):
    close = accounts.create_list(owner=orla, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[tide.pk])
    services.create_post(author=orla, text="my own")
    written = [str(services.create_post(author=tide, text=f"note {number}").pk) for number in range(12)]
    with django_assert_max_num_queries(16):
        page = api.get(f"/api/v1/timelines/list/{close.pk}")
    assert [status["id"] for status in page.json()] == written[::-1]


def test_nobody_elses_lists(orla, tide):
    close = accounts.create_list(owner=orla, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[tide.pk])
    other = token(tide)
    base = f"/api/v1/lists/{close.pk}"
    assert other.get("/api/v1/lists").json() == []
    assert other.get(f"/api/v1/accounts/{tide.pk}/lists").json() == []
    for answer in (
        other.get(base),
        other.put(base, {"title": "Mine"}),
        other.delete(base),
        other.get(f"{base}/accounts"),
        other.post(f"{base}/accounts", {"account_ids": [orla.pk]}),
        other.delete(f"{base}/accounts?account_ids[]={tide.pk}"),
        other.get(f"/api/v1/timelines/list/{close.pk}"),
        other.get("/api/v1/lists/9999999999999999999"),
    ):
        assert answer.status_code == 404
    assert [person["acct"] for person in token(orla).get(f"{base}/accounts").json()] == ["tide"]


def test_scopes(orla, client):
    reading, writing = token(orla, "read:lists"), token(orla, "write:lists")
    made = writing.post("/api/v1/lists", {"title": "Close"})
    assert made.status_code == 200
    assert writing.get("/api/v1/lists").status_code == 403
    assert reading.post("/api/v1/lists", {"title": "Far"}).status_code == 403
    assert reading.get(f"/api/v1/timelines/list/{made.json()['id']}").status_code == 200
    assert token(orla, "read:statuses").get(f"/api/v1/timelines/list/{made.json()['id']}").status_code == 403
    assert client.get("/api/v1/lists").status_code == 401
