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
from posts.selectors import viewer_marks
from posts.types import POST_MAX_LENGTH, MediaKind, ViewerMarks, Visibility
from xsocial.kernel import richtext
from xsocial.kernel.rest.inputs import IdList, Inputs


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
    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, posts: Iterable[Post], request: Request) -> "Rendering":
        return cls(request, viewer_marks(request.user, _shown_ids(posts)))

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
        "pinned": False,
        "reblog": status_json(post.repost_of, rendering) if post.repost_of_id else None,
        "quote": _quote(post, rendering) if depth == 0 else _named_quote(post),
        "application": {"name": post.application, "website": None} if post.application else None,
        "account": rendering.account(post.author),
        "media_attachments": [media_json(media, rendering.request) for media in post.media.all()],
        "mentions": [_mention(mention.user, origin) for mention in post.mentions.all()],
        "tags": [tag_json(link.tag.name, origin) for link in post.tag_links.all()],
        "emojis": [],
        "card": None,
        "poll": None,
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


def scheduled_json(scheduled: ScheduledPost, request: Request) -> dict[str, Any]:
    """A post for later."""
    draft = scheduled.draft
    return {
        "id": str(scheduled.pk),
        "scheduled_at": timestamp(scheduled.due_at),
        "params": {
            "text": draft["text"],
            "poll": None,
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


def notification_json(notification: Notification, rendering: Rendering) -> dict[str, Any]:
    """One notification; a reply is a mention in this dialect."""
    data = {
        "id": str(notification.pk),
        "type": "mention" if notification.kind == "reply" else notification.kind,
        "group_key": f"ungrouped-{notification.pk}",
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
    poll = serializers.JSONField(required=False, help_text="Refused: there are no polls.")

    # Passed over, a question would appear without its answers.
    def validate_poll(self, value: Any) -> Any:
        if value:
            raise serializers.ValidationError("There are no polls here.")
        return value


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
