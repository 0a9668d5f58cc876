"""Lists of people: whose they are, who can be on them, and what ends a place on them."""

import pytest

from accounts import selectors, services
from accounts.models import ListMembership, PeopleList
from accounts.services.people_lists import MAX_LISTS
from tests.factories import FollowFactory, UserFactory
from xsocial.kernel.errors import Invalid, NotFound
from xsocial.kernel.paging import Cursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(username="ann")


@pytest.fixture
def friends(ann):
    people = [UserFactory(username=name, display_name=name.title()) for name in ("bob", "cat", "dan")]
    for person in people:
        FollowFactory(follower=ann, followee=person)
    return people


def on(people_list) -> list[str]:
    return [row.follow.followee.username for row in selectors.list_members(people_list)]


def test_people_are_put_on_and_taken_off_repeatably(ann, friends):
    close = services.create_list(owner=ann, title="  Close \n friends ")
    assert close.title == "Close friends"
    for _ in range(2):
        services.add_to_list(people_list=close, user_ids=[person.pk for person in friends[:2]])
    assert sorted(on(close)) == ["bob", "cat"]
    for _ in range(2):
        services.remove_from_list(people_list=close, user_ids=[friends[0].pk])
    assert on(close) == ["cat"]
    assert [row.num_members for row in selectors.own_lists(ann)] == [1]
    assert selectors.lists_with(ann, friends[1]) == [close]
    assert selectors.lists_with(ann, friends[0]) == []


def test_only_followed_people_and_all_or_none(ann, friends):
    close = services.create_list(owner=ann, title="Close")
    with pytest.raises(NotFound):
        services.add_to_list(people_list=close, user_ids=[friends[0].pk, UserFactory().pk])
    assert on(close) == []


@pytest.mark.parametrize("end", ["unfollow", "block", "blocked", "close"])
def test_a_place_on_a_list_ends_with_the_follow(ann, friends, end):
    bob = friends[0]
    close = services.create_list(owner=ann, title="Close")
    services.add_to_list(people_list=close, user_ids=[bob.pk])
    {
        "unfollow": lambda: services.unfollow(follower=ann, followee=bob),
        "block": lambda: services.block(blocker=ann, blocked=bob),
        "blocked": lambda: services.block(blocker=bob, blocked=ann),
        "close": lambda: services.delete_account(user=bob),
    }[end]()
    assert on(close) == []
    services.delete_account(user=ann)
    assert not PeopleList.objects.exists()


def test_who_cannot_be_reached_keeps_the_place_and_is_not_shown(ann, friends):
    close = services.create_list(owner=ann, title="Close")
    services.add_to_list(people_list=close, user_ids=[friends[0].pk])
    services.suspend_account(user=friends[0])
    assert on(close) == []
    assert [row.num_members for row in selectors.own_lists(ann)] == [0]
    services.unsuspend_account(user=friends[0])
    assert on(close) == ["bob"]


def test_a_list_exists_for_its_owner_alone(ann):
    close = services.create_list(owner=ann, title="Close")
    assert selectors.get_list(ann.pk, str(close.pk)) == close
    stranger = UserFactory()
    assert selectors.own_lists(stranger) == []
    for user, list_id in ((stranger, close.pk), (ann, close.pk + 1), (ann, "x"), (ann, "9" * 40)):
        with pytest.raises(NotFound):
            selectors.get_list(user.pk, list_id)


def test_changing_and_deleting(ann, friends):
    close = services.create_list(owner=ann, title="Close")
    services.add_to_list(people_list=close, user_ids=[friends[0].pk])
    services.change_list(people_list=close, title="Near", is_exclusive=True)
    close.refresh_from_db()
    assert (close.title, close.replies_policy, close.is_exclusive) == ("Near", "list", True)
    for wrong in ({"title": " "}, {"title": "x" * 101}, {"replies_policy": "some"}, {"owner": friends[0]}):
        with pytest.raises(Invalid):
            services.change_list(people_list=close, **wrong)
    services.delete_list(people_list=close)
    assert not ListMembership.objects.exists()
    assert selectors.relationship(ann, friends[0]).is_following


def test_there_can_be_only_so_many(ann):
    for number in range(MAX_LISTS):
        services.create_list(owner=ann, title=f"List {number}")
    with pytest.raises(Invalid):
        services.create_list(owner=ann, title="One more")


def test_whom_one_could_add(ann, friends):
    bob, cat, dan = friends
    UserFactory(username="bobby")
    close = services.create_list(owner=ann, title="Close")
    services.add_to_list(people_list=close, user_ids=[cat.pk])
    assert selectors.addable(close) == [dan, bob]
    assert selectors.addable(close, "@BO") == [bob]
    assert selectors.addable(close, "\x00%") == []


def test_choosing_lists_for_somebody(ann, friends):
    near, far = (services.create_list(owner=ann, title=title) for title in ("Near", "Far"))
    foreign = services.create_list(owner=friends[0], title="Not mine")
    services.choose_lists(owner=ann, person=friends[0], list_ids=[near.pk, foreign.pk])
    services.choose_lists(owner=ann, person=friends[0], list_ids=[far.pk, foreign.pk])
    assert [on(each) for each in (near, far, foreign)] == [[], ["bob"], []]


def test_members_come_in_pages_at_a_constant_cost(ann, friends, django_assert_num_queries):
    close = services.create_list(owner=ann, title="Close")
    for person in friends:
        services.add_to_list(people_list=close, user_ids=[person.pk])
    with django_assert_num_queries(1):
        first = selectors.list_members(close, Cursor(limit=2))
        assert [row.follow.followee.username for row in first] == ["dan", "cat"]
    rest = selectors.list_members(close, Cursor(limit=2, max_id=first[-1].pk))
    assert [row.follow.followee.username for row in rest] == ["bob"]
