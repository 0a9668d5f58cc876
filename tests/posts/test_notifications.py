"""Notifications: who hears of what, once, and who never does."""

import pytest

from accounts import services as accounts
from posts import selectors, services
from posts.models import Notification
from tests.factories import PostFactory, UserFactory
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def heard(user) -> list[tuple[str, int]]:
    return [(row.kind, row.actor_id) for row in selectors.notifications(user)]


def test_each_person_hears_once_by_the_strongest_reason():
    ann, bob = UserFactory(username="ann"), UserFactory(username="bob")
    root = PostFactory(author=ann)
    listener = UserFactory()
    accounts.follow(follower=listener, followee=bob, notifies=True)
    services.create_post(author=bob, text="@ann @bob yes", in_reply_to=root, quote_of=root)
    quote = services.create_post(author=bob, text="See", quote_of=root)
    assert heard(ann) == [("quote", bob.pk), ("reply", bob.pk)]
    assert heard(listener) == [("status", bob.pk)]
    assert selectors.notifications(listener)[0].post == quote
    assert not Notification.objects.filter(recipient=bob).exclude(kind="follow").exists()


def test_undoing_takes_the_news_back_and_redoing_brings_it_once():
    post, ann = PostFactory(), UserFactory()
    services.favorite(user=ann, post=post)
    services.unfavorite(user=ann, post=post)
    assert heard(post.author) == []
    services.favorite(user=ann, post=post)
    services.favorite(user=ann, post=post)
    services.repost(user=ann, post=post)
    services.undo_repost(user=ann, post=post)
    assert heard(post.author) == [("favourite", ann.pk)]


def test_ones_own_acts_are_no_news():
    post = PostFactory()
    services.favorite(user=post.author, post=post)
    services.repost(user=post.author, post=post)
    services.create_post(author=post.author, text="And", in_reply_to=post)
    assert heard(post.author) == []
    assert not OutboxEvent.objects.filter(name="posts.notified").exists()


def test_the_muted_and_the_blocked_are_not_heard():
    post, muted, blocked, later = PostFactory(), UserFactory(), UserFactory(), UserFactory()
    author = post.author
    accounts.mute(muter=author, muted=muted)
    services.favorite(user=muted, post=post)
    services.favorite(user=blocked, post=post)
    services.favorite(user=later, post=post)
    accounts.block(blocker=author, blocked=blocked)
    assert heard(author) == [("favourite", later.pk)]
    assert not Notification.objects.filter(actor=muted).exists()
    accounts.mute(muter=author, muted=later, hides_notifications=False)
    assert heard(author) == [("favourite", later.pk)]


def test_nobody_hears_of_a_post_they_may_not_open():
    ann, bob, eve = UserFactory(offers_subscriptions=True), UserFactory(username="bob"), UserFactory()
    root = PostFactory(author=eve)
    services.create_post(author=ann, text="psst @bob", in_reply_to=root, visibility="direct")
    services.create_post(author=ann, text="paid @bob", subscribers_only=True)
    assert heard(eve) == []
    assert heard(bob) == [("mention", ann.pk)]


def test_follows_and_requests_are_news():
    ann, bob = UserFactory(), UserFactory(is_locked=True)
    accounts.follow(follower=ann, followee=bob)
    assert heard(bob) == [("follow_request", ann.pk)]
    accounts.accept_follow(target=bob, requester=ann)
    assert heard(bob) == [("follow", ann.pk)]
    assert heard(ann) == [("follow_accepted", bob.pk)]


def test_each_acceptance_is_news_a_refusal_is_not_and_an_open_door_neither():
    ann, bob = UserFactory(), UserFactory(is_locked=True)
    accounts.follow(follower=ann, followee=bob)
    accounts.reject_follow(target=bob, requester=ann)
    assert heard(ann) == []
    for _ in range(2):
        accounts.follow(follower=ann, followee=bob)
        accounts.accept_follow(target=bob, requester=ann)
        assert [row.read_at for row in selectors.notifications(ann)] == [None]
        services.mark_notifications_read(user=ann)
        accounts.unfollow(follower=ann, followee=bob)
    accounts.follow(follower=ann, followee=UserFactory())
    assert heard(ann) == [("follow_accepted", bob.pk)]


def test_reading_grouping_filtering_and_clearing(django_assert_max_num_queries):
    post = PostFactory()
    fans = [UserFactory() for _ in range(3)]
    for fan in fans:
        services.favorite(user=fan, post=post)
    services.create_post(author=fans[0], text="Nice", in_reply_to=post)
    author = post.author
    with django_assert_max_num_queries(14):
        page = selectors.notifications(author)
        assert {row.actor.username for row in page} == {fan.username for fan in fans}
        assert all(row.post.author.name for row in page)
    reply, likes = selectors.grouped(page)
    assert reply.latest.kind == "reply"
    assert likes.actors == fans[::-1]
    assert len(selectors.notifications(author, kinds=["reply"])) == 1
    assert len(selectors.notifications(author, exclude_kinds=["reply"])) == 3
    assert selectors.unread_count(author) == 4
    assert services.mark_notifications_read(user=author, up_to_id=page[-1].pk) == 1
    assert services.mark_notifications_read(user=author) == 3
    assert selectors.unread_count(author) == 0
    assert services.clear_notifications(user=fans[0], notification_id=page[0].pk) == 0
    assert services.clear_notifications(user=author, notification_id=page[0].pk) == 1
    assert services.clear_notifications(user=author) == 3


def test_the_event_names_all_recipients_at_once():
    ann, bob = UserFactory(username="ann"), UserFactory(username="bob")
    post = PostFactory(text="@ann @bob")
    event = OutboxEvent.objects.get(name="posts.notified").payload
    assert event["recipient_ids"] == sorted([ann.pk, bob.pk])
    assert (event["kind"], event["post_id"]) == ("mention", post.pk)
