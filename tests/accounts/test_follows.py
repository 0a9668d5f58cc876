"""Following: states, exact counters, events, and what a block undoes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import services
from accounts.models import Block, Follow, FollowRequest, User
from accounts.types import FollowState
from tests.factories import FollowFactory, StarterPackFactory, UserFactory
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def counts(user: User) -> tuple[int, int]:
    user.refresh_from_db()
    return user.following_count, user.followers_count


def test_following_twice_counts_once_and_tells_once():
    ann, bob = UserFactory(), UserFactory()
    for _ in range(2):
        assert services.follow(follower=ann, followee=bob) == FollowState.FOLLOWING
    assert counts(ann) == (1, 0)
    assert counts(bob) == (0, 1)
    assert OutboxEvent.objects.filter(name="accounts.followed").count() == 1
    assert bob.notifications.filter(kind="follow", actor=ann).count() == 1


def test_repeating_a_follow_changes_its_options():
    ann, bob = UserFactory(), UserFactory()
    services.follow(follower=ann, followee=bob)
    services.follow(follower=ann, followee=bob, shows_reposts=False, notifies=True)
    edge = Follow.objects.get()
    assert (edge.shows_reposts, edge.notifies) == (False, True)


def test_unfollowing_twice_counts_once():
    edge = FollowFactory()
    for _ in range(2):
        services.unfollow(follower=edge.follower, followee=edge.followee)
    assert counts(edge.follower) == (0, 0)
    assert counts(edge.followee) == (0, 0)


def test_a_locked_account_decides():
    ann, bob, eve = UserFactory(), UserFactory(is_locked=True), UserFactory()
    for requester in (ann, eve):
        assert services.follow(follower=requester, followee=bob) == FollowState.REQUESTED
    assert counts(bob) == (0, 0)
    services.accept_follow(target=bob, requester=ann)
    services.reject_follow(target=bob, requester=eve)
    assert counts(bob) == (0, 1)
    assert not FollowRequest.objects.exists()
    news = set(bob.notifications.values_list("actor", "kind"))
    assert news == {(ann.pk, "follow"), (eve.pk, "follow_request")}
    with pytest.raises(NotFound):
        services.accept_follow(target=bob, requester=eve)


def test_nobody_follows_themselves_or_across_a_block_or_the_departed():
    ann, bob = UserFactory(), UserFactory()
    with pytest.raises(Invalid):
        services.follow(follower=ann, followee=ann)
    services.block(blocker=bob, blocked=ann)
    for pair in ({"follower": ann, "followee": bob}, {"follower": bob, "followee": ann}):
        with pytest.raises(NotAllowed):
            services.follow(**pair)
    services.unblock(blocker=bob, blocked=ann)
    services.deactivate_account(user=bob)
    with pytest.raises(NotFound):
        services.follow(follower=ann, followee=bob)
    assert not Follow.objects.exists()


def test_a_block_ends_follows_and_requests_both_ways():
    ann, bob, eve = UserFactory(), UserFactory(), UserFactory(is_locked=True)
    services.follow(follower=ann, followee=bob)
    services.follow(follower=bob, followee=ann)
    services.follow(follower=ann, followee=eve)
    for _ in range(2):
        services.block(blocker=ann, blocked=bob)
    services.block(blocker=eve, blocked=ann)
    assert counts(ann) == counts(bob) == (0, 0)
    assert not Follow.objects.exists()
    assert not FollowRequest.objects.exists()
    assert OutboxEvent.objects.filter(name="accounts.blocked").count() == 2
    assert OutboxEvent.objects.filter(name="accounts.unfollowed").count() == 2


def test_removing_a_follower_leaves_the_other_direction():
    ann, bob = UserFactory(), UserFactory()
    services.follow(follower=ann, followee=bob)
    services.follow(follower=bob, followee=ann)
    services.remove_follower(user=ann, follower=bob)
    assert counts(ann) == (1, 0)


@pytest.mark.parametrize("model", [Follow, Block])
def test_the_database_refuses_doubles_and_selves(model):
    ann, bob = UserFactory(), UserFactory()
    first, second = ("follower", "followee") if model is Follow else ("blocker", "blocked")
    model.objects.create(**{first: ann, second: bob})
    for pair in ((ann, bob), (ann, ann)):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**dict(zip((first, second), pair, strict=True)))


def test_the_database_keeps_handles_and_addresses_apart_without_regard_to_case():
    UserFactory(username="Maple", email="maple@example.com")
    for values in ({"username": "mAPLE"}, {"email": "MAPLE@example.com"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            UserFactory(**values)


def test_a_starter_pack_follows_whom_it_can():
    ann, bob, eve, locked = UserFactory(), UserFactory(), UserFactory(), UserFactory(is_locked=True)
    pack = StarterPackFactory()
    pack.members.set([ann, bob, eve, locked])
    services.block(blocker=eve, blocked=ann)
    assert services.follow_starter_pack(user=ann, pack=pack) == 2
    assert services.follow_starter_pack(user=ann, pack=pack) == 2
    assert counts(ann) == (1, 0)
    assert FollowRequest.objects.get().target == locked


def test_deleting_an_account_leaves_everyone_elses_counters_true():
    ann, bob = UserFactory(), UserFactory(bio="Gardener")
    services.follow(follower=ann, followee=bob)
    services.follow(follower=bob, followee=ann)
    services.delete_account(user=bob)
    assert counts(ann) == (0, 0)
    bob.refresh_from_db()
    assert (bob.bio, bob.email, bob.is_reachable, bob.has_usable_password()) == ("", "", False, False)


@pytest.mark.django_db(transaction=True)
def test_counters_stay_exact_when_many_follow_and_block_at_once():
    people = [UserFactory() for _ in range(6)]
    start = threading.Barrier(8)

    def churn(seed: int) -> None:
        start.wait()
        try:
            for step in range(12):
                first = people[(seed + step) % 6]
                second = people[(seed * 5 + step * 3 + 1) % 6]
                if first == second:
                    continue
                act = (services.follow, services.unfollow)[(seed + step) % 3 == 0]
                if (seed, step) == (3, 6):
                    services.block(blocker=first, blocked=second)
                try:
                    act(follower=first, followee=second)
                except NotAllowed:
                    continue
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(churn, range(8)))
    assert Follow.objects.exists()
    for person in people:
        assert counts(person) == (
            Follow.objects.filter(follower=person).count(),
            Follow.objects.filter(followee=person).count(),
        )
