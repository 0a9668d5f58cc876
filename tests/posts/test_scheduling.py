"""Posts for later: kept with all they need, published once, whatever happens in between."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from accounts import services as accounts
from posts import selectors, services
from posts.models import Media, Post, ScheduledPost
from posts.services import scheduling
from posts.services.media import delete_stale_media
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def ann():
    return UserFactory(username="ann")


def in_a_while(**delta: float):
    return clock.now() + timedelta(**delta)


def test_it_appears_when_it_is_due_once_and_whole(ann, noon):
    picture, parent = MediaFactory(owner=ann), PostFactory()
    content = {"text": "Tomorrow #morning", "visibility": "unlisted", "spoiler_text": "early", "in_reply_to": parent}
    services.schedule_post(author=ann, at=noon + 48 * HOUR, media=[picture], application="clock", **content)
    with clock.fixed(noon + 47 * HOUR):
        assert services.publish_due() == 0
        assert delete_stale_media() == 0  # older than an upload may wait, and bound
        with pytest.raises(Invalid, match="used already"):
            services.create_post(author=ann, media=[picture])
    assert selectors.home(ann) == []
    with clock.fixed(noon + 49 * HOUR):
        assert [services.publish_due(), services.publish_due()] == [1, 0]
    post = Post.objects.get(author=ann)
    assert (post.text, post.visibility, post.spoiler_text, post.in_reply_to_id, post.application) == (
        *("Tomorrow #morning", "unlisted", "early"),
        parent.pk,
        "clock",
    )
    assert post.created_at == noon + 49 * HOUR
    assert list(post.media.all()) == [picture]
    assert not ScheduledPost.objects.exists()


@pytest.mark.parametrize("delta", [{"minutes": 4, "seconds": 59}, {"days": -1}, {"days": 5 * 365 + 1}])
def test_times_that_are_too_near_or_far(ann, noon, delta):
    with pytest.raises(Invalid):
        services.schedule_post(author=ann, at=in_a_while(**delta), text="x")
    row = services.schedule_post(author=ann, at=in_a_while(minutes=5), text="x")
    with pytest.raises(Invalid):
        services.change_scheduled(owner=ann, scheduled_id=row.pk, at=in_a_while(**delta))


def test_what_may_not_be_posted_may_not_wait(ann, noon, monkeypatch):
    with pytest.raises(Invalid):
        services.schedule_post(author=ann, at=noon + HOUR, text=" ")
    monkeypatch.setattr(scheduling, "MAX_SCHEDULED", 1)
    services.schedule_post(author=ann, at=noon + HOUR, text="one")
    with pytest.raises(Invalid, match="At most"):
        services.schedule_post(author=ann, at=noon + HOUR, text="two")


def test_it_is_its_authors_business_alone(ann, noon):
    other = UserFactory()
    row = services.schedule_post(author=ann, at=noon + HOUR, text="secret")
    assert selectors.scheduled_posts(other, selectors.Cursor()) == []
    for act in (
        lambda: selectors.scheduled_post(other, row.pk),
        lambda: services.change_scheduled(owner=other, scheduled_id=row.pk, text="mine"),
        lambda: services.cancel_scheduled(owner=other, scheduled_id=row.pk),
    ):
        with pytest.raises(NotFound):
            act()


def test_changing_and_cancelling(ann, noon):
    picture = MediaFactory(owner=ann)
    row = services.schedule_post(author=ann, at=noon + HOUR, text="one", media=[picture])
    services.change_scheduled(owner=ann, scheduled_id=row.pk, at=noon + 3 * HOUR, text="two", visibility="private")
    with clock.fixed(noon + 2 * HOUR):
        assert services.publish_due() == 0
    row = selectors.scheduled_post(ann, row.pk)
    assert (row.draft["text"], row.draft["visibility"], row.due_at) == ("two", "private", noon + 3 * HOUR)
    services.cancel_scheduled(owner=ann, scheduled_id=row.pk)
    with clock.fixed(noon + 30 * HOUR):
        assert services.publish_due() == 0
        assert delete_stale_media() == 1
    assert not Post.objects.exists()


def test_what_cannot_be_published_says_why_and_holds_up_nothing(ann, noon):
    parent = PostFactory()
    answer = services.schedule_post(author=ann, at=noon + HOUR, text="answer", in_reply_to=parent)
    services.schedule_post(author=ann, at=noon + HOUR, text="other")
    accounts.block(blocker=parent.author, blocked=ann)
    with clock.fixed(noon + 2 * HOUR):
        assert [services.publish_due(), services.publish_due()] == [1, 0]
    answer.refresh_from_db()
    assert "you may not see it" in answer.failure
    services.change_scheduled(owner=ann, scheduled_id=answer.pk, at=noon + 3 * HOUR)
    accounts.unblock(blocker=parent.author, blocked=ann)
    with clock.fixed(noon + 4 * HOUR):
        assert services.publish_due() == 1


def test_a_crash_in_between_leaves_it_for_the_next_run(ann, noon, monkeypatch):
    services.schedule_post(author=ann, at=noon + HOUR, text="once", media=[MediaFactory(owner=ann)])
    real = scheduling.publish

    def falls_over(*given, **more):
        real(*given, **more)
        raise RuntimeError("the worker fell over")

    with clock.fixed(noon + 2 * HOUR):
        monkeypatch.setattr(scheduling, "publish", falls_over)
        assert services.publish_due() == 0
        assert not Post.objects.exists()
        monkeypatch.setattr(scheduling, "publish", real)
        assert services.publish_due() == 1
    assert Media.objects.get().post == Post.objects.get()


def test_a_repeated_request_keeps_one(ann, noon):
    asked = {"author": ann, "text": "once", "idempotency_key": "k"}
    first = services.schedule_post(at=noon + HOUR, **asked)
    assert services.schedule_post(at=noon + HOUR, **asked) == first
    with pytest.raises(Conflict):
        services.schedule_post(at=noon + 2 * HOUR, **asked)
    with pytest.raises(Conflict):
        services.create_post(**asked)


@pytest.mark.django_db(transaction=True)
def test_two_workers_publish_each_once(ann):
    for number in range(6):
        services.schedule_post(author=ann, at=in_a_while(hours=1), text=f"number {number}")
    ScheduledPost.objects.update(due_at=in_a_while(hours=-1))
    gate, published = threading.Barrier(2), []

    def work() -> None:
        gate.wait()
        published.append(services.publish_due())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(published) == Post.objects.count() == 6
