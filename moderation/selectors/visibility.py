"""Gathers the facts that the visibility rules ask for, and applies them."""

from collections.abc import Collection, Iterable

from django.conf import settings

from accounts.models import User
from accounts.selectors import graph
from moderation.selectors.labels import labels_for
from moderation.types import Label
from moderation.visibility import PostFacts, SafetyLevel, Verdict, ViewerFacts, evaluate
from posts.models import Mention, Post
from posts.selectors.visible import OPEN, Viewer
from posts.types import Visibility
from xsocial.kernel import clock

ADULT_AGE = 18
_COLUMNS = (
    "id", "author_id", "repost_of_id", "deleted_at", "sensitive", "subscribers_only", "visibility", "author__is_active",
    "author__suspended_at", "author__deactivated_at", "author__is_locked", "author__is_adult_author",
)  # fmt: skip


def visibility(
    post_ids: Iterable[int], *, level: SafetyLevel, viewer: Viewer, facts: ViewerFacts | None = None
) -> dict[int, Verdict]:
    """The verdict on each post that exists; ids of none are left out.

    Two queries for posts and labels, one for mentions if any post is closed, and the viewer's graph
    unless `facts` brings it along.
    """
    wanted = [int(post_id) for post_id in post_ids]
    if not wanted:
        return {}
    facts = facts or viewer_facts(viewer)
    return evaluate(post_facts(wanted, viewer_id=facts.user_id), facts, level=level)


def viewer_facts(viewer: Viewer) -> ViewerFacts:
    """What the rules ask about the viewer. A visitor has neither graph nor opt-ins."""
    if viewer is None or not viewer.is_authenticated:
        return ViewerFacts(shows_unscreened=not settings_hold_unscreened())
    preferences = getattr(viewer, "feed_preferences", None)
    return ViewerFacts(
        user_id=viewer.pk,
        is_adult=_is_adult(viewer),
        shows_sensitive=bool(preferences and preferences.shows_sensitive),
        shows_unscreened=bool(preferences and preferences.shows_unscreened) or not settings_hold_unscreened(),
        following=_ids(graph.following_ids(viewer.pk)),
        subscribed=_ids(graph.subscribed_author_ids(viewer.pk)),
        blocked=_ids(graph.blocked_ids(viewer.pk)),
        blocked_by=_ids(graph.blocked_by_ids(viewer.pk)),
    )


def settings_hold_unscreened() -> bool:
    """Whether posts that Grox has not seen are kept out of recommendations (setting, default on)."""
    return bool(getattr(settings, "GROX_HOLD_UNSCREENED", True))


def _is_adult(viewer: User) -> bool:
    """Old enough whatever the birthday; an age nobody declared counts as adult only by opting in."""
    if viewer.birth_year is None:
        return True
    return clock.now().year - viewer.birth_year > ADULT_AGE


def _ids(array: Collection[int]) -> frozenset[int]:
    return frozenset(int(value) for value in array)


def post_facts(post_ids: list[int], *, viewer_id: int | None) -> list[PostFacts]:
    """What the rules ask about posts and authors."""
    rows = list(Post.objects.filter(pk__in=post_ids).values(*_COLUMNS))
    # a repost shows its original, and labels are put on originals
    labels = labels_for({row["repost_of_id"] or row["id"] for row in rows})
    closed = [row["id"] for row in rows if row["visibility"] not in OPEN or row["author__is_locked"]]
    named = _posts_naming(viewer_id, closed)
    return [_facts(row, labels[row["repost_of_id"] or row["id"]], names_viewer=row["id"] in named) for row in rows]


def _posts_naming(viewer_id: int | None, post_ids: list[int]) -> set[int]:
    if viewer_id is None or not post_ids:
        return set()
    rows = Mention.objects.filter(post_id__in=post_ids, user_id=viewer_id)
    return set(rows.values_list("post_id", flat=True))


def _facts(row: dict, labels: set[Label], *, names_viewer: bool) -> PostFacts:
    return PostFacts(
        post_id=row["id"],
        author_id=row["author_id"],
        labels=frozenset(labels),
        is_deleted=row["deleted_at"] is not None,
        is_sensitive=row["sensitive"],
        is_subscribers_only=row["subscribers_only"],
        is_open=row["visibility"] in OPEN,
        is_direct=row["visibility"] == Visibility.DIRECT,
        author_suspended=row["author__suspended_at"] is not None or not row["author__is_active"],
        author_deactivated=row["author__deactivated_at"] is not None,
        author_protected=row["author__is_locked"],
        author_adult=row["author__is_adult_author"],
        names_viewer=names_viewer,
    )
