"""Selectors of people: search, relationships, lists, suggestions."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import selectors, services
from accounts.types import Relationship
from tests.factories import FollowFactory, UserFactory
from xsocial.kernel.errors import NotFound

pytestmark = pytest.mark.django_db


def test_search_prefers_exact_handles_and_hides_blocks():
    ann = UserFactory()
    exact = UserFactory(username="fern")
    known = UserFactory(username="fernanda", followers_count=9)
    named = UserFactory(username="tree", display_name="Old Fern")
    UserFactory(username="ferngone", is_active=False)
    assert selectors.search_people(ann, "@FERN") == [exact, known, named]
    services.block(blocker=named, blocked=ann)
    assert selectors.search_people(ann, "fern") == [exact, known]
    assert selectors.search_people(AnonymousUser(), "fern") == [exact, known, named]


@pytest.mark.parametrize("query", ["", "  ", "\x00", "@", "%", "_%'\"\\", "ł" * 500])
def test_search_survives_anything(query):
    assert selectors.search_people(None, query) == []


def test_lookups_refuse_forged_ids_and_the_unreachable():
    ann, gone = UserFactory(username="Ann"), UserFactory()
    services.suspend_account(user=gone)
    assert selectors.get_user("@ann") == ann
    assert selectors.get_user_by_id(str(ann.pk)) == ann
    for user_id in (gone.pk, "", "x", "-1", "9" * 40, "\uff11"):
        with pytest.raises(NotFound):
            selectors.get_user_by_id(user_id)
    with pytest.raises(NotFound):
        selectors.get_user("nobody\x00")


def test_relationships_cover_every_edge_in_constant_queries(django_assert_num_queries):
    me, others = UserFactory(), [UserFactory() for _ in range(6)]
    followed, follower, blocked, blocker, muted, stranger = others
    services.follow(follower=me, followee=followed, notifies=True)
    services.follow(follower=follower, followee=me)
    services.block(blocker=me, blocked=blocked)
    services.block(blocker=blocker, blocked=me)
    services.mute(muter=me, muted=muted)
    with django_assert_num_queries(6):
        found = selectors.relationships(me, [person.pk for person in others])
    assert found[stranger.pk] == Relationship(user_id=stranger.pk)
    assert found[followed.pk].is_following
    assert found[followed.pk].notifies
    assert found[follower.pk].is_followed_by
    assert found[blocked.pk].is_blocking
    assert not found[blocked.pk].is_blocked_by
    assert found[blocker.pk].is_blocked_by
    assert found[muted.pk].is_muting_notifications


def test_lists_page_by_edge():
    star = UserFactory()
    edges = [FollowFactory(followee=star) for _ in range(3)]
    first = selectors.followers(None, star, limit=2)
    assert [edge.pk for edge in first] == [edges[2].pk, edges[1].pk]
    assert selectors.followers(None, star, max_id=first[-1].pk) == [edges[0]]
    assert [edge.followee for edge in selectors.following(None, edges[0].follower)] == [star]


def test_suggestions_are_friends_of_friends_then_the_known():
    me, friend, other_friend = UserFactory(), UserFactory(), UserFactory()
    twice, once = UserFactory(), UserFactory()
    popular, blocked, gone = UserFactory(followers_count=50), UserFactory(followers_count=60), UserFactory()
    for followee in (friend, other_friend):
        services.follow(follower=me, followee=followee)
        services.follow(follower=followee, followee=twice)
        services.follow(follower=followee, followee=gone)
    services.follow(follower=friend, followee=once)
    services.follow(follower=friend, followee=me)
    services.block(blocker=me, blocked=blocked)
    services.deactivate_account(user=gone)
    suggested = selectors.who_to_follow(me, limit=3)
    assert suggested == [twice, once, popular]
    assert [person.num_mutuals for person in suggested] == [2, 1, 0]
    assert twice not in selectors.who_to_follow(me, limit=3, exclude=[twice.pk])
