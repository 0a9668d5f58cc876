"""The pages of lists: made, filled, read, and nobody else's."""

import json

import pytest

from accounts import services as accounts
from accounts.models import PeopleList
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def close(reader) -> PeopleList:
    return accounts.create_list(owner=reader, title="Close")


def test_from_an_empty_page_to_a_timeline(web, author):
    assert "No lists yet" in web.get("/lists").content.decode()
    made = web.post("/lists", {"title": "Close"})
    people = made["Location"]
    assert "Nobody yet." in web.get(people).content.decode()
    assert f"{people}/author/add" in web.get(people).content.decode()
    timeline = people.removesuffix("/people")
    assert "Choose people" in web.get(timeline).content.decode()
    assert web.post(f"{people}/author/add")["Location"] == people
    PostFactory(author=author, text="Among the few")
    assert "Among the few" in web.get(timeline).content.decode()
    assert "1 person" in web.get("/lists").content.decode()
    web.post(f"{people}/author/remove")
    assert "Among the few" not in web.get(timeline).content.decode()


def test_searching_whom_to_add(web, reader, close):
    for name in ("robin", "wren"):
        FollowFactory(follower=reader, followee=UserFactory(username=name))
    UserFactory(username="robinson")
    page = web.get(f"/lists/{close.pk}/people?q=rob").content.decode()
    assert "@robin<" in page
    assert "@wren" not in page
    assert "@robinson" not in page
    assert "Nobody you follow" in web.get(f"/lists/{close.pk}/people?q=xyz").content.decode()
    assert web.post(f"/lists/{close.pk}/people/robinson/add").status_code == 404


def test_changing_and_deleting(web, close):
    address = f"/lists/{close.pk}"
    answer = web.post(f"{address}/edit", {"title": "Near", "replies_policy": "none", "is_exclusive": "on"})
    assert answer["Location"] == address
    assert "left out of Following" in web.get("/lists").content.decode()
    refused = web.post(f"{address}/edit", {"title": "", "replies_policy": "none"})
    assert refused.status_code == 422
    assert web.post("/lists", {"title": "\t"}).status_code == 422
    assert web.post(f"{address}/delete")["Location"] == "/lists"
    assert web.get(address).status_code == 404


def test_from_a_profile(web, script, reader, author, close):
    assert "/@author/lists" in web.get("/@author").content.decode()
    page = web.get("/@author/lists").content.decode()
    assert 'type="checkbox"' in page
    assert "checked" not in page
    web.post("/@author/lists", {"lists": [close.pk]})
    assert "checked" in web.get("/@author/lists", headers={"HX-Request": "true"}).content.decode()
    assert script("/@author/lists", {}).status_code == 200
    assert "checked" not in web.get("/@author/lists").content.decode()
    assert web.post("/@author/lists", {"lists": ["x"]}).status_code == 422
    UserFactory(username="stranger")
    assert "/@stranger/lists" not in web.get("/@stranger").content.decode()
    assert web.post("/@stranger/lists", {"lists": [close.pk]}).status_code == 404


def test_lists_are_their_owners(web, visitor, author, reader):
    theirs = accounts.create_list(owner=author, title="Theirs")
    for path in ("", "/edit", "/people"):
        assert web.get(f"/lists/{theirs.pk}{path}").status_code == 404
    for path in ("/edit", "/delete", "/people/reader/add", "/people/reader/remove"):
        assert web.post(f"/lists/{theirs.pk}{path}", {"title": "x", "replies_policy": "none"}).status_code == 404
    assert visitor.get(f"/lists/{theirs.pk}").status_code == 302
    assert PeopleList.objects.get() == theirs


def test_the_export_has_them(web, author, close):
    accounts.add_to_list(people_list=close, user_ids=[author.pk])
    [row] = json.loads(web.get("/settings/account/export").getvalue())["lists"]
    assert (row["title"], [person["username"] for person in row["people"]]) == ("Close", ["author"])
