"""Asking, voting and closing. Who voted for what is known to nobody but the voter."""

from collections.abc import Collection

from django.db import transaction

from accounts.models import User
from posts.models import Ballot, Poll, Post
from posts.models.notification import NotificationKind
from posts.selectors.visible import get_visible_post
from posts.services.notifications import notify, notify_oneself
from posts.types import POLL_LONGEST, POLL_MAX_OPTIONS, POLL_OPTION_MAX_LENGTH, POLL_SHORTEST, PollDraft
from xsocial.kernel import clock, sql
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

CLOSE_BATCH = 100
TOLD_AT_ONCE = 1000


def check_poll(poll: PollDraft) -> None:
    """Raise Invalid unless there are two to four different, short options and a sensible time."""
    options = poll.options
    if not 2 <= len(options) <= POLL_MAX_OPTIONS:
        raise _invalid(f"A poll has two to {POLL_MAX_OPTIONS} options.")
    if not all(options) or any(len(option) > POLL_OPTION_MAX_LENGTH or "\n" in option for option in options):
        raise _invalid(f"An option has 1 to {POLL_OPTION_MAX_LENGTH} characters.")
    if len({option.casefold() for option in options}) < len(options):
        raise _invalid("Two options say the same.")
    if not POLL_SHORTEST <= poll.duration_s <= POLL_LONGEST:
        raise _invalid("A poll lasts five minutes to seven days.")


def _invalid(message: str) -> Invalid:
    return Invalid(message, extra={"field": "poll"})


def store_poll(post: Post, poll: PollDraft) -> None:
    """Give a new post its poll, which begins now; inside the caller's transaction."""
    Poll.objects.create(
        post=post,
        options=list(poll.options),
        votes=[0] * len(poll.options),
        multiple=poll.multiple,
        hides_totals=poll.hides_totals,
        ends_at=clock.from_ms(clock.now_ms() + poll.duration_s * 1000),
    )


_COUNT = """
UPDATE posts_poll SET voters = voters + 1,
       votes = ARRAY(SELECT v + (i - 1 = ANY(%(choices)s::int[]))::int FROM unnest(votes) WITH ORDINALITY AS c (v, i)
                      ORDER BY i)
 WHERE post_id = %(post)s
"""


@transaction.atomic
def vote(*, voter: User, post_id: int, choices: Collection[int]) -> None:
    """Cast one's ballot, once. Raises NotFound for a post one may not open or without a poll,
    NotAllowed for one's own, Invalid after its end, for a second ballot and for bad choices.
    """
    post = get_visible_post(voter, post_id)
    # The lock orders votes with the closing; the ballot's uniqueness holds whatever else happens.
    poll = Poll.objects.select_for_update().filter(post_id=post.pk).first()
    if poll is None:
        raise NotFound("This post has no poll.")
    if post.author_id == voter.pk or not voter.is_reachable:
        raise NotAllowed("You cannot vote in this poll.")
    if poll.ends_at <= clock.now():
        raise Invalid("This poll has ended.")
    wanted = sorted(set(choices))
    if not wanted:
        raise Invalid("Choose an option.")
    if not set(wanted) <= set(range(len(poll.options))) or (len(wanted) > 1 and not poll.multiple):
        raise Invalid("This choice is not on the ballot.")
    _, is_first = Ballot.objects.get_or_create(poll=poll, voter=voter, defaults={"choices": wanted})
    if not is_first:
        raise Invalid("You have voted in this poll.")
    sql.execute(_COUNT, {"choices": sql.bigints(wanted), "post": post.pk})


def close_ended() -> int:
    """Tell authors and voters of polls that ended since; returns how many polls."""
    ended = Poll.objects.filter(closed_at=None, ends_at__lte=clock.now()).order_by("ends_at")
    return sum(_close(pk) for pk in list(ended.values_list("pk", flat=True)[:CLOSE_BATCH]))


@transaction.atomic
def _close(post_id: int) -> bool:
    """Once: under the row's lock, with the news in the same transaction."""
    rows = Poll.objects.select_for_update(skip_locked=True, of=("self",)).select_related("post__author")
    poll = rows.filter(pk=post_id, closed_at=None).first()
    if poll is None:
        return False
    poll.closed_at = clock.now()
    poll.save(update_fields=["closed_at"])
    post = poll.post
    notify_oneself(post.author, kind=NotificationKind.POLL, post=post)
    voters = list(Ballot.objects.filter(poll=poll).order_by("pk").values_list("voter_id", flat=True))
    for start in range(0, len(voters), TOLD_AT_ONCE):
        notify(voters[start : start + TOLD_AT_ONCE], actor=post.author, kind=NotificationKind.POLL, post=post)
    return True
