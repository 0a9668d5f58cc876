"""One For You page from end to end, on real stores."""

import pytest

from feed import services
from feed.types import FeedRequest
from tests.factories import FollowFactory, PostFactory, UserFactory
from xsocial.kernel.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer():
    return UserFactory()


@pytest.fixture
def friend(viewer):
    friend = UserFactory()
    FollowFactory(follower=viewer, followee=friend)
    return friend


def post_ids(page):
    return [item.post_id for item in page.items if item.kind == "post"]


def test_without_a_model_the_page_is_in_order_of_time_and_says_so(viewer, friend):
    posts = [PostFactory(author=friend) for _ in range(4)]
    page = services.for_you(viewer)
    assert post_ids(page) == [post.pk for post in reversed(posts)]
    assert page.model == ""
    assert "ranker" in page.degraded
    assert "retrieval" in page.degraded


def test_a_newcomer_who_follows_nobody_sees_what_is_popular(viewer, settings):
    settings.GROX_HOLD_UNSCREENED = False
    post = PostFactory()
    page = services.for_you(viewer)
    assert post_ids(page) == [post.pk]
    assert page.items[0].in_network is False


def test_load_more_continues_without_repeating(viewer, friend):
    for _ in range(45):
        PostFactory(author=friend)
    first = services.for_you(viewer)
    second = services.for_you(viewer, request=FeedRequest(cursor=first.cursor))
    assert len(post_ids(first)) == 35
    assert len(post_ids(second)) == 10
    assert not set(post_ids(first)) & set(post_ids(second))


@pytest.mark.parametrize("cursor", ["nonsense", "a:b:c"])
def test_a_forged_cursor_is_refused(viewer, cursor):
    with pytest.raises(Invalid):
        services.for_you(viewer, request=FeedRequest(cursor=cursor))


def test_somebody_elses_cursor_is_refused(viewer, friend):
    PostFactory(author=friend)
    page = services.for_you(viewer)
    with pytest.raises(Invalid):
        services.for_you(friend, request=FeedRequest(cursor=page.cursor))


def test_an_empty_page_is_a_page(viewer):
    page = services.for_you(viewer)
    assert page.items == ()
    assert page.cursor == ""
