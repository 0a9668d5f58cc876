"""What is left of an erased account in posts: emptied rows, exact counters, and nothing to learn from."""

from datetime import timedelta

import pytest
from django.db.models import Q

from accounts import services as accounts
from posts import services, tasks
from posts.models import (
    Ballot,
    Bookmark,
    Engagement,
    IdempotencyKey,
    Impression,
    Notification,
    Poll,
    Post,
    PostCounts,
    ScheduledPost,
)
from posts.services import erasure
from posts.types import EngagementKind, PollDraft, SeenPost
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    """Somebody who left a trace of every kind."""
    bob, other = UserFactory(username="bob"), UserFactory()
    liked = PostFactory(author=other, text="Liked")
    own = services.create_post(author=bob, text="My words @person", idempotency_key="k")
    services.create_post(author=bob, text="An answer", in_reply_to=liked)
    services.repost(user=bob, post=liked)
    services.repost(user=other, post=own)
    services.favorite(user=bob, post=liked)
    services.favorite(user=other, post=own)
    services.bookmark(user=bob, post=liked)
    services.record_engagement(user=bob, post_id=liked.pk, kind=EngagementKind.CLICK)
    services.record_impressions(user=bob, impressions=[SeenPost(liked.pk)])
    asked = PostFactory(author=other, poll=PollDraft(("yes", "no"), 600))
    services.vote(voter=bob, post_id=asked.pk, choices=[1])
    services.schedule_post(author=bob, text="Later", at=clock.now() + timedelta(hours=1))
    return bob


def traces(user) -> dict[str, int]:
    rows = {
        Engagement: "user", Impression: "user", Bookmark: "user", Ballot: "voter", ScheduledPost: "author",
        IdempotencyKey: "user",
    }  # fmt: skip
    found = {model.__name__: model.objects.filter(**{column: user}).count() for model, column in rows.items()}
    found["news"] = Notification.objects.filter(Q(recipient=user) | Q(actor=user)).count()
    found["posts"] = Post.objects.filter(author=user, deleted_at=None).count()
    return found


def test_nothing_of_an_erased_account_is_left_and_the_counters_are_exact(bob, monkeypatch):
    monkeypatch.setattr(erasure, "BATCH", 1)
    assert all(traces(bob).values())
    liked = Post.objects.get(text="Liked")
    accounts.close_account(user=bob)
    tasks.erase_closed_accounts()
    assert all(traces(bob).values())
    accounts.hasten_closing(user=bob)
    assert tasks.erase_closed_accounts() == 1
    assert not any(traces(bob).values())
    assert not Post.objects.filter(text__contains="My words").exists()
    counts = PostCounts.objects.get(post=liked)
    assert (counts.favorites, counts.bookmarks, counts.reposts, counts.replies) == (0, 0, 0, 0)
    assert Poll.objects.get().votes == [0, 1]
    assert services.erase_traces() == 0


def test_what_was_stopped_goes_on_and_others_keep_theirs(bob, monkeypatch):
    other = UserFactory()
    services.favorite(user=other, post=PostFactory(author=other))
    accounts.close_account(user=bob)
    accounts.hasten_closing(user=bob)

    def stops(**_: object) -> None:
        raise OSError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "delete_post", stops)
        tasks.erase_closed_accounts()
    assert traces(bob)["posts"]
    tasks.erase_closed_accounts()
    assert not any(traces(bob).values())
    assert traces(other)["Engagement"] == 1


def test_what_failed_for_weeks_is_still_erased(bob):
    accounts.close_account(user=bob)
    accounts.hasten_closing(user=bob)
    assert accounts.erase_due() == 1
    with clock.fixed(clock.now() + timedelta(days=29)):
        services.erase_traces()
    assert not any(traces(bob).values())


def test_a_pause_and_a_suspension_erase_nothing(bob):
    before = traces(bob)
    accounts.deactivate_account(user=bob)
    accounts.suspend_account(user=bob)
    tasks.erase_closed_accounts()
    assert traces(bob) == before
