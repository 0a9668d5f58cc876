"""One's own tuning over REST: shapes, bounds, scopes, and the preview."""

import pytest

from feed import services, tuning
from feed.home_mixer.tuning import GROUPS
from feed.models import FeatureParameter, FeedTuning
from tests.api.test_wire import token
from tests.factories import FollowFactory, PostFactory, UserFactory
from tests.feed.conftest import models as models  # the stand-in for the models

pytestmark = pytest.mark.django_db
TUNING, PREVIEW = "/api/v1/feed/tuning", "/api/v1/feed/tuning/preview"


@pytest.fixture
def orla():
    return UserFactory(username="orla")


@pytest.fixture
def api(orla):
    return token(orla)


def test_it_is_read_replaced_and_taken_back(api, orla):
    first = api.get(TUNING).json()
    assert first["multipliers"] == {group.name: 1.0 for group in GROUPS}
    assert [choice["group"] for choice in first["choices"]] == list(first["multipliers"])
    assert all(row["site"] == row["own"] for row in first["weights"])
    saved = api.put(TUNING, {"multipliers": {"likes": 2, "strangers": 0.5}}, format="json").json()
    assert saved == api.get(TUNING).json()
    assert (saved["multipliers"]["likes"], saved["strangers_factor"]) == (2.0, 0.375)
    assert {"head": "favorite", "site": 0.5, "own": 1.0} in saved["weights"]
    assert api.put(TUNING, {"multipliers": {"reading": 3}}, format="json").json()["multipliers"]["likes"] == 1.0
    assert tuning.of(orla).multipliers == {"reading": 3.0}
    assert api.delete(TUNING).json() == {}
    assert not FeedTuning.objects.exists()


def test_what_is_read_can_be_written_and_read_as_a_file(api):
    saved = api.put(TUNING, {"multipliers": {"objections": 3}}, format="json")
    again = api.put(TUNING, saved.json(), format="json")
    assert again.json() == saved.json()
    assert tuning.read(saved.content).multipliers == {"objections": 3.0}


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_other_encodings_do_too(api, orla, kind):
    body = {"multipliers": {"likes": 0.25}} if kind == "json" else {"multipliers[likes]": "0.25"}
    assert api.put(TUNING, body, format=kind).status_code == 200
    assert tuning.of(orla).multipliers == {"likes": 0.25}


@pytest.mark.parametrize("address", [TUNING, PREVIEW])
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "multipliers"),
        ({"multipliers": 3}, "multipliers"),
        ({"multipliers": {"likes": "much"}}, "multipliers"),
        ({"multipliers": {"likes": True}}, "multipliers"),
        ({"multipliers": {"likes": 0.3}}, "likes"),
        ({"multipliers": {"objections": 0.5, "reading": 2}}, "objections"),
        ({"multipliers": {"fame": 1}}, "fame"),
        ({"multipliers": {"likes": "nan"}}, "multipliers"),
    ],
)
def test_bad_values_are_refused_by_name(api, address, body, named):
    ask = api.put if address == TUNING else api.post
    answer = ask(address, body, format="json")
    assert answer.status_code == 422
    assert list(answer.json()["details"]) == [named]
    assert not FeedTuning.objects.exists()


def test_a_preview_says_where_each_post_would_stand(api, orla, models, settings):
    settings.GROX_HOLD_UNSCREENED = False
    FeatureParameter.objects.create(name="exploration_share", value=0.0)
    for number in range(3):
        author = UserFactory()
        FollowFactory(follower=orla, followee=author)
        near = PostFactory(author=author)
        models.found.append(PostFactory(author=UserFactory(), text=f"From afar {number}").pk)
        models.liking |= {near.pk: 0.5, models.found[-1]: 0.5}
    page = services.for_you(orla)
    found = api.post(PREVIEW, {"multipliers": {"strangers": 0}}, format="json").json()
    assert found["request_id"] == str(page.request_id)
    assert {post["id"] for post in found["posts"][3:]} == {str(pk) for pk in models.found}
    assert [post["now"] for post in found["posts"]] == [1, 2, 3, 4, 5, 6]
    was = {str(item.post_id): place for place, item in enumerate((i for i in page.items if i.kind == "post"), 1)}
    assert {post["id"]: post["was"] for post in found["posts"]} == was
    assert not FeedTuning.objects.exists()
    api.put(TUNING, {"multipliers": {"strangers": 0}}, format="json")
    assert api.get("/api/v1/timelines/for_you").json()["is_tuned"]


def test_a_preview_without_a_page_is_not_found(api):
    assert api.post(PREVIEW, {"multipliers": {}}, format="json").status_code == 404


def test_switched_off_it_is_not_saved(api):
    FeatureParameter.objects.create(name="enable_tuning", value=False)
    assert api.put(TUNING, {"multipliers": {"likes": 2}}, format="json").status_code == 403
    assert api.get(TUNING).json()["is_on"] is False


def test_scopes(orla, client):
    may_read, may_write = token(orla, "read:accounts"), token(orla, "write:accounts")
    body = {"multipliers": {"likes": 2}}
    assert may_read.get(TUNING).status_code == may_write.put(TUNING, body, format="json").status_code == 200
    assert may_read.put(TUNING, body, format="json").status_code == 403
    assert may_write.get(TUNING).status_code == may_read.delete(TUNING).status_code == 403
    assert may_write.post(PREVIEW, body, format="json").status_code == 403
    assert token(orla, "read:statuses").post(PREVIEW, body, format="json").status_code == 404
    assert client.get(TUNING).status_code == client.delete(TUNING).status_code == 401
