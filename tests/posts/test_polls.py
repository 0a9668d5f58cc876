"""Polls: what may be asked, who may answer, that it counts once, and who hears of the end."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import services as accounts
from moderation.grox.documents import load_documents
from posts import selectors, services
from posts.models import Ballot, Notification, Poll, Post
from posts.selectors.hydration import post_rows
from posts.services.polls import check_poll
from posts.types import PollDraft
from tests.factories import FollowFactory, MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db
TEA = PollDraft(("Tea", "Coffee"), 600)


@pytest.fixture
def ann():
    return UserFactory(username="ann")


@pytest.mark.parametrize(
    "poll",
    [
        PollDraft(("one",), 600),
        PollDraft(("1", "2", "3", "4", "5"), 600),
        PollDraft(("a", ""), 600),
        PollDraft(("a", "A"), 600),
        PollDraft(("a", "x" * 51), 600),
        PollDraft(("a", "b\nc"), 600),
        PollDraft(("a", "b"), 299),
        PollDraft(("a", "b"), 7 * 86_400 + 1),
    ],
)
def test_polls_that_may_not_be_asked(poll):
    with pytest.raises(Invalid):
        check_poll(poll)


def test_a_poll_stands_without_pictures_and_under_words(ann):
    with pytest.raises(Invalid, match="not both"):
        services.create_post(author=ann, text="?", poll=TEA, media=[MediaFactory(owner=ann)])
    with pytest.raises(Invalid):
        services.create_post(author=ann, poll=TEA)


def test_votes_count_once_and_the_ballot_is_the_voters_own(ann):
    post, voter, other = PostFactory(author=ann, poll=PollDraft(("a", "b", "c"), 600, multiple=True)), *people(2)
    services.vote(voter=voter, post_id=post.pk, choices=[2, 0, 2])
    with pytest.raises(Invalid, match="have voted"):
        services.vote(voter=voter, post_id=post.pk, choices=[1])
    services.vote(voter=other, post_id=post.pk, choices=[2])
    seen = {viewer: selectors.polls_of(viewer, [post.pk])[post.pk] for viewer in (ann, voter, other, None)}
    assert {(poll.votes, poll.voters) for poll in seen.values()} == {((1, 0, 2), 2)}
    assert [poll.own for poll in seen.values()] == [(), (0, 2), (2,), ()]
    with pytest.raises(IntegrityError), transaction.atomic():
        Ballot.objects.create(poll_id=post.pk, voter=voter, choices=[1])


def people(count: int):
    return [UserFactory() for _ in range(count)]


@pytest.mark.parametrize("choices", [[], [2], [-1], [0, 1]])
def test_choices_that_are_not_on_the_ballot(ann, choices):
    post = PostFactory(author=ann, poll=TEA)
    with pytest.raises(Invalid):
        services.vote(voter=UserFactory(), post_id=post.pk, choices=choices)
    assert Poll.objects.get().voters == 0


def test_who_may_not_vote(ann, noon):
    post = PostFactory(author=ann, poll=TEA)
    locked = PostFactory(author=UserFactory(is_locked=True), poll=TEA)
    blocked = UserFactory()
    accounts.block(blocker=ann, blocked=blocked)
    for voter, asked, refusal in (
        (ann, post, NotAllowed),
        (blocked, post, NotFound),
        (ann, locked, NotFound),
        (ann, PostFactory(), NotFound),
    ):
        with pytest.raises(refusal):
            services.vote(voter=voter, post_id=asked.pk, choices=[0])
    with clock.fixed(noon + timedelta(seconds=600)), pytest.raises(Invalid, match="ended"):
        services.vote(voter=UserFactory(), post_id=post.pk, choices=[0])


def test_author_and_voters_hear_of_the_end_once(ann, noon):
    post, voter = PostFactory(author=ann, poll=TEA), UserFactory()
    services.vote(voter=voter, post_id=post.pk, choices=[0])
    assert services.close_ended() == 0
    with clock.fixed(noon + timedelta(hours=1)):
        assert [services.close_ended(), services.close_ended()] == [1, 0]
        heard = Notification.objects.filter(kind="poll", post=post).values_list("recipient_id", flat=True)
        assert set(heard) == {ann.pk, voter.pk}
        assert [row.kind for row in selectors.notifications(ann)] == ["poll"]


def test_options_are_words_of_the_post(ann):
    reader = UserFactory()
    FollowFactory(follower=reader, followee=ann)
    post = PostFactory(author=ann, text="Which?", poll=PollDraft(("Rainy days", "Sun"), 600))
    assert post_rows([post.pk]).text.tolist() == ["Which?\nRainy days\nSun"]
    assert "rainy days" in load_documents([post.pk])[0].raw_text.casefold()
    assert selectors.home(reader) == [post]
    accounts.add_muted_keyword(user=reader, phrase="rainy")
    assert selectors.home(reader) == []
    assert selectors.without_muting(post, {reader.pk, ann.pk}) == {ann.pk}


def test_a_deleted_post_keeps_neither_poll_nor_ballots(ann):
    post = PostFactory(author=ann, poll=TEA)
    services.vote(voter=UserFactory(), post_id=post.pk, choices=[0])
    services.delete_post(actor=ann, post=post)
    assert not Poll.objects.exists()
    assert Post.objects.get().poll_text == ""


def test_a_poll_for_later_begins_when_it_appears(ann, noon):
    services.schedule_post(author=ann, at=noon + timedelta(hours=1), text="Which?", poll=TEA)
    with clock.fixed(noon + timedelta(hours=2)):
        assert services.publish_due() == 1
        assert Poll.objects.get().ends_at == noon + timedelta(hours=2, minutes=10)


@pytest.mark.django_db(transaction=True)
def test_votes_at_the_same_moment_all_count_and_one_person_once(ann):
    post, one = PostFactory(author=ann, poll=TEA), UserFactory()
    voters = [one, one, *people(4)]
    gate = threading.Barrier(len(voters))

    def cast(voter) -> None:
        gate.wait()
        try:
            services.vote(voter=voter, post_id=post.pk, choices=[1])
        except Invalid:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=cast, args=[voter]) for voter in voters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    poll = Poll.objects.get()
    assert (poll.votes, poll.voters, Ballot.objects.count()) == ([0, 5], 5, 5)
