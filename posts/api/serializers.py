"""Posts as Mastodon clients know them: statuses.

`StatusSerializer` describes the shape for the schema; `statuses_json` builds it directly from
detailed posts, because forty nested serializers cost more than their queries. A test keeps the
two equal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.serializers import AccountSerializer, timestamp
from accounts.models import User
from posts.models import Media, Notification, Post, ScheduledPost
from posts.models.notification import NotificationKind
from posts.selectors import ShownPoll, group_key, polls_of, viewer_marks
from posts.selectors.visible import Viewer
from posts.types import POST_MAX_LENGTH, MediaKind, PollDraft, ViewerMarks, Visibility
from xsocial.kernel import richtext
from xsocial.kernel.rest.inputs import IdList, Inputs, ScalarOrList


class MediaSerializer(serializers.Serializer):
    id = serializers.CharField()
    type = serializers.CharField()
    url = serializers.CharField()
    preview_url = serializers.CharField(allow_null=True)
    remote_url = serializers.CharField(allow_null=True)
    text_url = serializers.CharField(allow_null=True)
    meta = serializers.DictField()
    description = serializers.CharField(allow_null=True)
    blurhash = serializers.CharField(allow_null=True)


class StatusSerializer(serializers.Serializer):
    id = serializers.CharField()
    created_at = serializers.CharField()
    edited_at = serializers.CharField(allow_null=True)
    in_reply_to_id = serializers.CharField(allow_null=True)
    in_reply_to_account_id = serializers.CharField(allow_null=True)
    sensitive = serializers.BooleanField()
    spoiler_text = serializers.CharField()
    visibility = serializers.CharField()
    language = serializers.CharField(allow_null=True)
    uri = serializers.CharField()
    url = serializers.CharField()
    content = serializers.CharField()
    replies_count = serializers.IntegerField()
    reblogs_count = serializers.IntegerField()
    favourites_count = serializers.IntegerField()
    quotes_count = serializers.IntegerField()
    favourited = serializers.BooleanField()
    reblogged = serializers.BooleanField()
    bookmarked = serializers.BooleanField()
    muted = serializers.BooleanField()
    pinned = serializers.BooleanField()
    reblog = serializers.DictField(allow_null=True)
    quote = serializers.DictField(allow_null=True)
    application = serializers.DictField(allow_null=True)
    account = AccountSerializer()
    media_attachments = MediaSerializer(many=True)
    mentions = serializers.ListField(child=serializers.DictField())
    tags = serializers.ListField(child=serializers.DictField())
    emojis = serializers.ListField(child=serializers.DictField())
    card = serializers.DictField(allow_null=True)
    poll = serializers.DictField(allow_null=True)
    filtered = serializers.ListField(child=serializers.DictField())


def origin_of(request: HttpRequest | Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@dataclass
class Rendering:
    """What the statuses of one answer share: the request, the viewer's marks, rendered authors."""

    request: Request
    marks: dict[int, ViewerMarks]
    polls: dict[int, ShownPoll] = field(default_factory=dict)
    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, posts: Iterable[Post], request: Request) -> "Rendering":
        shown = list(posts)
        return cls(request, viewer_marks(request.user, _shown_ids(shown)), _polls(request.user, shown))

    @classmethod
    def for_anybody(cls, posts: Iterable[Post], request: Request) -> "Rendering":
        """Without anything that differs between viewers."""
        return cls(request, {}, _polls(None, posts))

    @property
    def knows_viewer(self) -> bool:
        """Whether somebody in particular reads this."""
        user = getattr(self.request, "user", None)
        return bool(user and user.is_authenticated)

    @cached_property
    def origin(self) -> str:
        return origin_of(self.request)

    @cached_property
    def _people(self) -> AccountSerializer:
        """One for all: a serializer builds its fields anew each time, which takes longer than filling them."""
        return AccountSerializer(context={"request": self.request})

    def account(self, user: User) -> dict[str, Any]:
        if user.pk not in self.accounts:
            self.accounts[user.pk] = self._people.to_representation(user)
        return self.accounts[user.pk]


def _polls(viewer: Viewer, posts: Iterable[Post]) -> dict[int, ShownPoll]:
    """Polls of these posts and of those inside them. One query, none without polls."""
    shown = [inner for post in posts for inner in _with_inner(post)]
    return polls_of(viewer, {post.pk for post in shown if post.poll_text})


def _with_inner(post: Post) -> Iterable[Post]:
    outer = [post, post.repost_of] if post.repost_of_id else [post]
    quoted = [part.quote_of for part in outer if part and part.quote_of_id]
    return [part for part in (*outer, *quoted) if part]


def _shown_ids(posts: Iterable[Post]) -> set[int]:
    """The posts themselves, their originals and the quoted ones."""
    pairs = ((post.pk, post.repost_of_id, post.quote_of_id) for post in posts)
    return {pk for found in pairs for pk in found if pk is not None}


def statuses_json(posts: Sequence[Post], request: Request) -> list[dict[str, Any]]:
    """Statuses of detailed posts (`posts.selectors.detailed`) as the caller sees them."""
    rendering = Rendering.of(posts, request)
    return [status_json(post, rendering) for post in posts]


def status_json(post: Post, rendering: Rendering, *, depth: int = 0) -> dict[str, Any]:
    """One status of a detailed post; `depth` counts the quotes around it."""
    origin, counts = rendering.origin, post.counts
    marks = rendering.marks.get(post.repost_of_id or post.pk, ViewerMarks())
    url = f"{origin}/@{post.author.username}/{post.pk}"
    return {
        "id": str(post.pk),
        "created_at": timestamp(post.created_at),
        "edited_at": timestamp(post.edited_at) if post.edited_at else None,
        "in_reply_to_id": _id(post.in_reply_to_id),
        "in_reply_to_account_id": _id(post.in_reply_to_user_id),
        "sensitive": post.sensitive,
        "spoiler_text": post.spoiler_text,
        "visibility": post.visibility,
        "language": post.language or None,
        "uri": url,
        "url": url,
        "content": richtext.to_html(post.text, origin=origin),
        "replies_count": counts.replies,
        "reblogs_count": counts.reposts,
        "favourites_count": counts.favorites,
        "quotes_count": counts.quotes,
        "favourited": marks.is_favorited,
        "reblogged": marks.is_reposted,
        "bookmarked": marks.is_bookmarked,
        "muted": False,
        "pinned": marks.is_pinned and not post.repost_of_id,
        "reblog": status_json(post.repost_of, rendering) if post.repost_of_id else None,
        "quote": _quote(post, rendering) if depth == 0 else _named_quote(post),
        "application": {"name": post.application, "website": None} if post.application else None,
        "account": rendering.account(post.author),
        "media_attachments": [media_json(media, rendering.request) for media in post.media.all()],
        "mentions": [_mention(mention.user, origin) for mention in post.mentions.all()],
        "tags": [tag_json(link.tag.name, origin) for link in post.tag_links.all()],
        "emojis": [],
        "card": None,
        "poll": poll_json(rendering.polls[post.pk], rendering) if post.pk in rendering.polls else None,
        "filtered": [],
    }


def _mention(user: User, origin: str) -> dict[str, str]:
    return {"id": str(user.pk), "username": user.username, "acct": user.username, "url": f"{origin}/@{user.username}"}


def tag_json(name: str, origin: str) -> dict[str, str]:
    return {"name": name, "url": f"{origin}/tags/{quote(name)}"}


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _quote(post: Post, rendering: Rendering) -> dict[str, Any] | None:
    """The quoted post one level deep; deeper quotes are named, not nested."""
    if post.quote_of_id is None:
        return None
    if post.quote_of is None:
        return {"state": "unauthorized", "quoted_status": None}
    return {"state": "accepted", "quoted_status": status_json(post.quote_of, rendering, depth=1)}


def _named_quote(post: Post) -> dict[str, Any] | None:
    if post.quote_of_id is None:
        return None
    return {"state": "accepted", "quoted_status_id": str(post.quote_of_id)}


def media_json(media: Media, request: Request) -> dict[str, Any]:
    size = {"width": media.width, "height": media.height}
    if media.width and media.height:
        size |= {"size": f"{media.width}x{media.height}", "aspect": round(media.width / media.height, 4)}
    if media.duration_ms is not None and media.kind != MediaKind.IMAGE:
        size["duration"] = media.duration_ms / 1000
    url = request.build_absolute_uri(media.file.url)
    return {
        "id": str(media.pk),
        "type": media.kind,
        "url": url,
        "preview_url": request.build_absolute_uri(media.preview.url) if media.preview else url,
        "remote_url": None,
        "text_url": None,
        "meta": {"original": size},
        "description": media.alt_text or None,
        "blurhash": media.blurhash or None,
    }


def poll_json(poll: ShownPoll, rendering: Rendering) -> dict[str, Any]:
    """A poll; who voted is told to nobody, what the caller chose to the caller."""
    hides = poll.hides_totals and not poll.is_over
    data = {
        "id": str(poll.post_id),
        "expires_at": timestamp(poll.ends_at),
        "expired": poll.is_over,
        "multiple": poll.multiple,
        "votes_count": sum(poll.votes),
        "voters_count": poll.voters,
        "options": [
            {"title": title, "votes_count": None if hides else votes}
            for title, votes in zip(poll.options, poll.votes, strict=True)
        ],
        "emojis": [],
    }
    if rendering.knows_viewer:
        data |= {"voted": bool(poll.own), "own_votes": list(poll.own)}
    return data


def _poll_wish(wish: dict[str, Any] | None) -> dict[str, Any] | None:
    if wish is None:
        return None
    return {
        "options": wish["options"],
        "expires_in": str(wish["duration_s"]),
        "multiple": wish["multiple"],
        "hide_totals": wish["hides_totals"],
    }


def scheduled_json(scheduled: ScheduledPost, request: Request) -> dict[str, Any]:
    """A post for later."""
    draft = scheduled.draft
    return {
        "id": str(scheduled.pk),
        "scheduled_at": timestamp(scheduled.due_at),
        "params": {
            "text": draft["text"],
            "poll": _poll_wish(draft.get("poll")),
            "media_ids": [str(pk) for pk in draft["media_ids"]] or None,
            "sensitive": draft["sensitive"],
            "spoiler_text": draft["spoiler_text"] or None,
            "visibility": draft["visibility"],
            "in_reply_to_id": _id(draft["parent_id"]),
            "quoted_status_id": _id(draft["quoted_id"]),
            "language": draft["language"] or None,
            "application_id": None,
            "scheduled_at": None,
            "idempotency": None,
            "with_rate_limit": False,
        },
        "media_attachments": [media_json(media, request) for media in scheduled.media.all()],
        "failure": scheduled.failure or None,
    }


#: Kinds that Mastodon has no word for: clients get them only where they ask for them by name.
UNKNOWN_TO_CLIENTS = frozenset({NotificationKind.FOLLOW_ACCEPTED})


def notification_json(notification: Notification, rendering: Rendering) -> dict[str, Any]:
    """One notification; a reply is a mention in this dialect."""
    data = {
        "id": str(notification.pk),
        "type": "mention" if notification.kind == "reply" else notification.kind,
        "group_key": group_key(notification),
        "created_at": timestamp(notification.created_at),
        "account": rendering.account(notification.actor),
    }
    if notification.post is not None:
        data["status"] = status_json(notification.post, rendering)
    return data


class LaterField(serializers.DateTimeField):
    """A moment; an empty text is none, as clients send it."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return None if data in ("", None) else super().run_validation(data)


class PollInputs(Inputs):
    options = ScalarOrList(child=serializers.CharField(max_length=400, allow_blank=True), max_length=20)
    expires_in = serializers.IntegerField(min_value=1, max_value=2**31)
    multiple = serializers.BooleanField(required=False, default=False)
    hide_totals = serializers.BooleanField(required=False, default=False)


class PollField(PollInputs):
    """A poll; an empty value is none, as clients send it."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return None if data in ("", None, {}) else super().run_validation(data)

    def to_internal_value(self, data: Any) -> PollDraft:
        values = super().to_internal_value(data)
        return PollDraft(tuple(values["options"]), values["expires_in"], values["multiple"], values["hide_totals"])


class VoteInputs(Inputs):
    choices = ScalarOrList(child=serializers.IntegerField(min_value=0, max_value=20), max_length=20)


class StatusInputs(Inputs):
    status = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=POST_MAX_LENGTH * 4, trim_whitespace=False
    )
    in_reply_to_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    quoted_status_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    media_ids = IdList(required=False, default=list, max_length=4)
    sensitive = serializers.BooleanField(required=False, default=False)
    spoiler_text = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    visibility = serializers.ChoiceField([v.value for v in Visibility], required=False, default=Visibility.PUBLIC)
    language = serializers.CharField(required=False, allow_blank=True, default="", max_length=8)
    subscribers_only = serializers.BooleanField(required=False, default=False)
    scheduled_at = LaterField(required=False, default=None)
    poll = PollField(required=False, default=None)


class ScheduledInputs(Inputs):
    scheduled_at = LaterField(required=False, default=None)


class StatusEditInputs(Inputs):
    status = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=POST_MAX_LENGTH * 4, trim_whitespace=False
    )
    spoiler_text = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    sensitive = serializers.BooleanField(required=False, default=False)
    language = serializers.CharField(required=False, allow_blank=True, default="", max_length=8)
    media_ids = IdList(required=False, max_length=4)


class MediaInputs(Inputs):
    file = serializers.FileField()
    description = serializers.CharField(required=False, allow_blank=True, default="", max_length=1500)


class MediaEditInputs(Inputs):
    description = serializers.CharField(required=False, allow_blank=True, default="", max_length=1500)


class SearchInputs(Inputs):
    q = serializers.CharField(max_length=400, allow_blank=True)
    type = serializers.ChoiceField(["accounts", "statuses", "hashtags"], required=False)
    resolve = serializers.BooleanField(required=False, default=False)
    limit = serializers.IntegerField(required=False, default=20, min_value=1)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10_000)


class NotificationInputs(Inputs):
    types = serializers.ListField(child=serializers.CharField(max_length=30), required=False, default=list)
    exclude_types = serializers.ListField(child=serializers.CharField(max_length=30), required=False, default=list)
