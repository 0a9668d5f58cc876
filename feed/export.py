"""Everything kept about a person, in one document that is theirs to take away."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet
from oauth2_provider.models import get_access_token_model

from accounts.models import Block, CreatorSubscription, Follow, FollowRequest, ListMembership, Mute, PeopleList, User
from accounts.selectors import followed_topics, preferences
from ads.models import HiddenAdvertiser
from feed import tuning
from feed.models import Receipt
from moderation.models import Appeal, PostLabel, Report, Strike
from moderation.types import LABEL_WORDS
from posts.models import Ballot, Bookmark, Engagement, Impression, Marker, Media, Pin, Post, ScheduledPost
from posts.types import EngagementKind, Surface
from xsocial.kernel import clock

PROFILE = (
    "id", "username", "email", "display_name", "bio", "website", "location", "language", "country_code",
    "time_zone", "birth_year", "gender", "is_locked", "is_bot", "offers_subscriptions", "date_joined",
)  # fmt: skip


BATCH = 2000


def parts(user: User) -> Generator[bytes]:
    """The person's document as JSON, piece by piece: it is never in memory as a whole."""
    return _written(of(user))


def of(user: User) -> dict[str, Any]:
    """What the document says; rows are asked for when they are written.

    Nothing in it is about what others did, but for who follows them.
    """
    return {
        "made_at": clock.now(),
        "profile": {name: _plain(name, getattr(user, name)) for name in PROFILE},
        "people": _people(user),
        "lists": (
            row | {"people": _people_on(row["id"])}
            for row in _rows(
                PeopleList.objects.filter(owner=user).order_by("id"),
                id="id", title="title", replies="replies_policy", is_exclusive="is_exclusive", since="created_at",
            )
        ),
        "wishes": _wishes(user),
        "posts": _rows(
            Post.objects.filter(author=user, deleted_at=None).order_by("id"),
            id="id", at="created_at", text="text", warning="spoiler_text", visibility="visibility",
            in_reply_to_id="in_reply_to_id", repost_of_id="repost_of_id", quote_of_id="quote_of_id",
        ),
        "posts_for_later": _rows(
            ScheduledPost.objects.filter(author=user).order_by("id"), id="id", due_at="due_at", text="draft__text"
        ),
        "media": _rows(
            Media.objects.filter(owner=user).order_by("id"), file="file", description="alt_text", post_id="post_id"
        ),
        "actions": (
            row | {"kind": EngagementKind(row["kind"]).name.lower(), "surface": Surface(row["surface"]).name.lower()}
            for row in _rows(
                Engagement.objects.filter(user=user).order_by("id"),
                at="created_at", kind="kind", post_id="post_id", surface="surface", seconds="seconds",
            )
        ),
        "posts_seen": _rows(
            Impression.objects.filter(user=user).order_by("id"), at="created_at", post_id="post_id", seconds="seconds"
        ),
        "votes": _rows(
            Ballot.objects.filter(voter=user).order_by("id"), at="created_at", post_id="poll_id", choices="choices"
        ),
        "bookmarks": _rows(Bookmark.objects.filter(user=user).order_by("id"), at="created_at", post_id="post_id"),
        "pinned_posts": _rows(Pin.objects.filter(author=user).order_by("post_id"), at="created_at", post_id="post_id"),
        "read_up_to": _rows(
            Marker.objects.filter(user=user).order_by("id"), at="updated_at", timeline="timeline", id="last_read_id"
        ),
        "reports": _rows(
            Report.objects.filter(reporter=user).order_by("id"),
            at="created_at", post_id="post_id", account="account__username", reason="reason", note="note",
        ),
        "labels_on_posts": (
            row | {"words": LABEL_WORDS.get(row["label"], "")}
            for row in _rows(
                PostLabel.objects.filter(post__author=user).order_by("id"),
                post_id="post_id", label="label", rule="rule", at="applied_at", lifted_at="lifted_at",
            )
        ),
        "appeals": _rows(
            Appeal.objects.filter(author=user).order_by("id"),
            at="created_at", post_id="label__post_id", label="label__label", statement="statement", state="state",
        ),
        "strikes": _rows(
            Strike.objects.filter(account=user).order_by("id"),
            at="created_at", post_id="label__post_id", until="expires_at", withdrawn_at="withdrawn_at",
        ),
        "advertisers_hidden": _rows(
            HiddenAdvertiser.objects.filter(viewer=user).order_by("id"), at="created_at", name="advertiser__name"
        ),
        "apps": _rows(
            get_access_token_model().objects.filter(user=user).order_by("id"),
            name="application__name", may="scope", since="created",
        ),
        # Each is a large document of its own, at /api/v1/receipts/ID.
        "receipts": _rows(Receipt.objects.filter(viewer=user).order_by("request_id"), id="request_id"),
    }  # fmt: skip


def _people(user: User) -> dict[str, Any]:
    edges = {
        "following": (Follow.objects.filter(follower=user), "followee"),
        "followers": (Follow.objects.filter(followee=user), "follower"),
        "asked_to_follow": (FollowRequest.objects.filter(requester=user), "target"),
        "asking_to_follow": (FollowRequest.objects.filter(target=user), "requester"),
        "blocked": (Block.objects.filter(blocker=user), "blocked"),
        "muted": (Mute.objects.filter(muter=user), "muted"),
        "subscribed_to": (CreatorSubscription.objects.filter(subscriber=user), "author"),
    }
    return {
        name: _rows(rows.order_by("pk"), username=f"{end}__username", since="created_at")
        for name, (rows, end) in edges.items()
    }


def _people_on(list_id: str) -> list[dict[str, Any]]:
    rows = ListMembership.objects.filter(people_list=list_id).order_by("id")
    return list(_rows(rows, username="follow__followee__username", since="created_at"))


def _wishes(user: User) -> dict[str, Any]:
    own = preferences(user)
    return {
        "muted_words": _rows(user.muted_keywords.order_by("pk"), phrase="phrase", until="expires_at"),
        "topics": [{"name": row.topic.name, "is_snoozed": row.is_snoozed} for row in followed_topics(user)],
        "feed": {field.name: getattr(own, field.name) for field in own._meta.fields if field.name != "user"},
        "tuning": tuning.of(user).all,
    }


def _rows(rows: QuerySet, **columns: str) -> Iterator[dict[str, Any]]:
    """Rows with their columns under names for people."""
    found = rows.values_list(*columns.values()).iterator(chunk_size=BATCH)
    return ({name: _plain(name, value) for name, value in zip(columns, row, strict=True)} for row in found)


def _written(value: Any) -> Generator[bytes]:
    """JSON of plain values, of objects that hold rows, and of rows, each on a line of its own."""
    if isinstance(value, dict):
        opening = b"{\n"
        for name, each in value.items():
            yield opening + orjson.dumps(name) + b": "
            yield from _written(each)
            opening = b",\n"
        yield b"}"
    elif isinstance(value, Iterator):
        yield b"["
        separator = b"\n"
        while batch := [orjson.dumps(row) for row in islice(value, BATCH)]:
            yield separator + b",\n".join(batch)
            separator = b",\n"
        yield b"]"
    else:
        yield orjson.dumps(value)


def _plain(name: str, value: Any) -> Any:
    """Ids as text: not every reader of JSON keeps so large a number."""
    return str(value) if value is not None and (name == "id" or name.endswith("_id")) else value
