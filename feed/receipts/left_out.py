"""What a page left out, post by post: by which rule, and how its reader can change that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import Truncator

from accounts.models import Block, User
from accounts.selectors import graph
from feed.home_mixer.filters import muted_keyword_filter as keywords
from feed.receipts import rules
from feed.receipts.rules import Rule
from posts import selectors
from posts.models import Post
from xsocial.kernel.errors import NotFound

PER_PAGE = 20
EXCERPT = 120  # characters

Reason = Callable[[Post], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One post. ``author`` and ``excerpt`` are empty when the viewer may not open it; ``undo`` is the
    address of the action that lifts the rule, empty where there is none."""

    post_id: int
    author: str = ""
    excerpt: str = ""
    because: str = ""
    undo: str = ""
    undo_words: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One rule with how many posts it left out."""

    component: str
    rule: Rule
    count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of what one rule left out; pages count from 1."""

    group: Group
    entries: tuple[Entry, ...]
    page: int
    num_pages: int


def groups(receipt: Mapping[str, Any]) -> list[Group]:
    """Rules that left something out, in the order in which they ran."""
    return [Group(row["filter"], rules.of(row["filter"]), row["count"]) for row in receipt["dropped"] if row["count"]]


def listed(viewer: User, receipt: Mapping[str, Any], component: str, page: int) -> Listed:
    """What a rule left out, one page of it. Raises NotFound for a rule or a page that is not there."""
    group = next((each for each in groups(receipt) if each.component == component), None)
    if group is None:
        raise NotFound("This rule left nothing out of that page.")
    ids = [int(i) for row in receipt["dropped"] if row["filter"] == component for i in row["post_ids"]]
    num_pages = -(-len(ids) // PER_PAGE)
    if not 1 <= page <= num_pages:
        raise NotFound("There is no such page of the list.")
    shown = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Listed(group, tuple(_entries(viewer, component, shown)), page, num_pages)


def _entries(viewer: User, component: str, post_ids: list[int]) -> list[Entry]:
    """Entries in order; what the viewer may read of each is asked of the one place that decides it."""
    posts = Post.objects.filter(pk__in=post_ids).select_related("author", "repost_of__author", "quote_of__author")
    by_id = {post.pk: post for post in posts}
    open_ids = {post.pk for post in selectors.posts_by_id(viewer, post_ids)}
    reasons = {"MutedKeywordFilter": _muted_word, "AuthorSocialgraphFilter": _relation}
    reason = reasons.get(component, lambda viewer: lambda post: {})(viewer)
    return [_entry(post_id, by_id.get(post_id), post_id in open_ids, reason) for post_id in post_ids]


def _entry(post_id: int, post: Post | None, is_open: bool, reason: Reason) -> Entry:
    if post is None:
        return Entry(post_id, because="deleted meanwhile")
    shown = {}
    if is_open:
        text = (post.repost_of or post).text
        shown = {"author": post.author.username, "excerpt": Truncator(text).chars(EXCERPT)}
    return Entry(post_id, **shown, **reason(post))


def _muted_word(viewer: User) -> Reason:
    """The word that hides a post, if it is still muted; one click away from being heard again."""
    muted = [(row.phrase, row.pk, keywords.phrases_of([row.phrase])) for row in viewer.muted_keywords.all()]

    def reason(post: Post) -> dict[str, str]:
        text = (post.repost_of or post).text
        for phrase, pk, tokens in muted:
            if keywords.matches(text, tokens):
                return {
                    "because": f"has “{phrase}”",
                    "undo": f"/settings/keywords/{pk}/remove",
                    "undo_words": f"Unmute “{phrase}”",
                }
        return {"because": "the word is not muted any more"}

    return reason


def _relation(viewer: User) -> Reason:
    """Whom the viewer blocks or mutes. Who blocks the viewer is told to nobody."""
    blocked = set(Block.objects.filter(blocker=viewer).values_list("blocked_id", flat=True))
    muted = set(graph.muted_ids(viewer.pk).tolist())

    def reason(post: Post) -> dict[str, str]:
        people = [each.author for each in (post, post.repost_of, post.quote_of) if each]
        for person in people:
            if person.pk in blocked:
                return _lift(f"you block @{person.username}", f"/@{person.username}/unblock", "Unblock")
        if people[0].pk in muted:
            return _lift(f"you mute @{people[0].username}", f"/@{people[0].username}/unmute", "Unmute")
        return {}

    return reason


def _lift(because: str, undo: str, words: str) -> dict[str, str]:
    return {"because": because, "undo": undo, "undo_words": words}
