"""Pinned posts: one's own, a few, at the top of the profile for whoever may open them."""

import pytest

from accounts import services as accounts
from posts import selectors, services
from posts.models import Pin
from posts.services.pins import MAX_PINS
from posts.types import Visibility
from tests.api.test_wire import token
from tests.factories import FollowFactory, PostFactory, UserFactory
from xsocial.kernel.errors import Invalid, NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return UserFactory(username="author")


@pytest.fixture
def post(author):
    return PostFactory(author=author, text="Read this first")


def test_the_last_pinned_stands_first_and_pinning_again_changes_nothing(author, post):
    later = PostFactory(author=author)
    for each in (later, post, later):
        services.pin(user=author, post=each)
    assert selectors.pinned_ids(None, author) == [post.pk, later.pk]
    services.unpin(user=author, post=post)
    services.unpin(user=author, post=post)
    assert selectors.pinned_ids(None, author) == [later.pk]


def test_only_ones_own_posts_that_others_may_find_and_only_a_few(author, post):
    with pytest.raises(NotAllowed):
        services.pin(user=UserFactory(), post=post)
    other = UserFactory()
    direct = PostFactory(author=author, text=f"@{other.username} hello", visibility=Visibility.DIRECT)
    for wrong in (direct, services.repost(user=author, post=PostFactory(author=other))):
        with pytest.raises(Invalid):
            services.pin(user=author, post=wrong)
    for _ in range(MAX_PINS):
        services.pin(user=author, post=PostFactory(author=author))
    with pytest.raises(Invalid, match="no more"):
        services.pin(user=author, post=post)
    assert Pin.objects.count() == MAX_PINS


def test_nobody_else_takes_a_pin_away(author, post):
    services.pin(user=author, post=post)
    services.unpin(user=UserFactory(), post=post)
    assert selectors.pinned_ids(None, author) == [post.pk]


def test_who_may_not_open_a_post_does_not_meet_it_pinned(author):
    follower = FollowFactory(followee=author).follower
    for followers_only in (False, True):
        kind = Visibility.FOLLOWERS if followers_only else Visibility.PUBLIC
        services.pin(user=author, post=PostFactory(author=author, visibility=kind))
    assert len(selectors.pinned_ids(follower, author)) == len(selectors.pinned_ids(author, author)) == 2
    assert len(selectors.pinned_ids(None, author)) == len(selectors.pinned_ids(UserFactory(), author)) == 1
    blocked = UserFactory()
    accounts.block(blocker=author, blocked=blocked)
    assert selectors.pinned_ids(blocked, author) == []


def test_a_deleted_post_makes_room(author, post):
    services.pin(user=author, post=post)
    services.delete_post(actor=author, post=post)
    assert not Pin.objects.exists()


def test_clients_pin_list_and_unpin(author, post):
    api, address = token(author), f"/api/v1/accounts/{author.pk}/statuses?pinned=true"
    assert api.post(f"/api/v1/statuses/{post.pk}/pin").json()["pinned"]
    assert [status["id"] for status in api.get(address).json()] == [str(post.pk)]
    reader = token(UserFactory())
    (seen,) = reader.get(address).json()
    assert (seen["id"], seen["pinned"]) == (str(post.pk), False)  # the mark is the author's own
    assert reader.post(f"/api/v1/statuses/{post.pk}/pin").status_code == 403
    assert api.post("/api/v1/statuses/1/pin").status_code == 404
    assert not api.post(f"/api/v1/statuses/{post.pk}/unpin").json()["pinned"]
    assert api.get(address).json() == []
