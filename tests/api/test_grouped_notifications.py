"""News by what it is about (version 2 of notifications), and one piece of it."""

import pytest

from accounts import services as accounts
from posts import services
from posts.models import Notification
from tests.api.test_wire import token
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import ids

pytestmark = pytest.mark.django_db

GROUPS = "/api/v2/notifications"


@pytest.fixture
def orla():
    return UserFactory(username="orla")


@pytest.fixture
def api(orla):
    return token(orla)


@pytest.fixture
def post(orla):
    return PostFactory(author=orla, text="Look at this")


@pytest.fixture
def fans(orla, post):
    """Three people who like the post; the last two also follow, and the last answers."""
    people = [UserFactory() for _ in range(3)]
    for person in people:
        services.favorite(user=person, post=post)
    for person in people[1:]:
        accounts.follow(follower=person, followee=orla)
    PostFactory(author=people[2], text="@orla yes", in_reply_to=post)
    return people


def test_likes_and_follows_stand_together(api, post, fans):
    found = api.get(GROUPS).json()
    answer, follows, likes = found["notification_groups"]
    assert (likes["group_key"], likes["type"], likes["notifications_count"]) == (f"favourite-{post.pk}", "favourite", 3)
    assert (follows["group_key"], follows["notifications_count"]) == ("follow", 2)
    assert "status_id" not in follows
    assert (answer["type"], answer["group_key"].split("-")[0], answer["notifications_count"]) == (
        "mention", "ungrouped", 1,
    )  # fmt: skip
    assert likes["sample_account_ids"] == [str(person.pk) for person in reversed(fans)]
    assert {account["id"] for account in found["accounts"]} == {str(person.pk) for person in fans}
    assert {status["id"] for status in found["statuses"]} == {likes["status_id"], answer["status_id"]}


def test_a_group_counts_beyond_its_page(api, post, fans):
    page = api.get(f"{GROUPS}?types[]=favourite&limit=2")
    (likes,) = page.json()["notification_groups"]
    assert (likes["notifications_count"], len(likes["sample_account_ids"])) == (3, 2)
    rest = api.get(f"{GROUPS}?types[]=favourite&limit=2&max_id={likes['page_min_id']}").json()
    assert rest["notification_groups"][0]["sample_account_ids"] == [str(fans[0].pk)]
    assert 'rel="next"' in page["Link"]


def test_a_group_by_its_key_its_people_and_its_end(api, post, fans):
    key = f"favourite-{post.pk}"
    assert api.get(f"{GROUPS}/{key}").json()["notification_groups"][0]["group_key"] == key
    people = api.get(f"{GROUPS}/{key}/accounts").json()
    assert [person["id"] for person in people] == [str(person.pk) for person in reversed(fans)]
    assert api.post(f"{GROUPS}/{key}/dismiss").json() == {}
    assert api.get(f"{GROUPS}/{key}").status_code == 404
    assert Notification.objects.filter(kind="favourite").count() == 0
    assert Notification.objects.filter(kind="follow").count() == 2


def test_unread_counts_groups(api, orla, fans):
    assert api.get(f"{GROUPS}/unread_count").json() == {"count": 3}
    assert api.get("/api/v1/notifications/unread_count").json() == {"count": 6}
    services.mark_notifications_read(user=orla)
    assert api.get(f"{GROUPS}/unread_count").json() == {"count": 0}


@pytest.mark.parametrize(
    "key", ["favourite-1", "favourite-x", "mention-1", f"ungrouped-{ids.MAX_ID}", "ungrouped-", "nonsense"]
)
def test_a_key_of_nothing_is_not_found(api, fans, key):
    assert api.get(f"{GROUPS}/{key}").status_code == 404
    assert api.post(f"{GROUPS}/{key}/dismiss").status_code == 200
    assert Notification.objects.count() >= 6


def test_everybody_has_their_own(fans, post):
    stranger = token(UserFactory())
    assert stranger.get(f"{GROUPS}/favourite-{post.pk}").status_code == 404
    stranger.post(f"{GROUPS}/favourite-{post.pk}/dismiss")
    assert Notification.objects.filter(kind="favourite").count() == 3
    one = Notification.objects.filter(kind="follow").first()
    assert stranger.get(f"/api/v1/notifications/{one.pk}").status_code == 404
    stranger.post(f"/api/v1/notifications/{one.pk}/dismiss")
    assert Notification.objects.filter(pk=one.pk).exists()


def test_one_notification_is_read_and_dismissed(api, fans):
    listed = api.get("/api/v1/notifications").json()
    one = f"/api/v1/notifications/{listed[1]['id']}"
    assert api.get(one).json() == listed[1]
    assert api.post(f"{one}/dismiss").json() == {}
    assert api.get(one).status_code == 404
    assert len(api.get("/api/v1/notifications").json()) == len(listed) - 1


def test_the_page_costs_the_same_queries_for_many(api, post, fans, django_assert_max_num_queries):
    with django_assert_max_num_queries(22):
        api.get(GROUPS)
    for _ in range(5):
        services.repost(user=UserFactory(), post=post)
        PostFactory(author=fans[0], text="@orla again", in_reply_to=post)
    with django_assert_max_num_queries(22):
        api.get(GROUPS)
