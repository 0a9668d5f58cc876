"""What posts announces. Listeners read these from the event log; fields are plain values.

Times are milliseconds since 1970; durations say their unit. Private content never travels:
a listener that needs the text loads the post.

The signal at the end runs inside the transaction, for apps above that must write in it.
"""

from dataclasses import dataclass
from typing import ClassVar

from django.dispatch import Signal

from xsocial.kernel.event_log import Event


@dataclass(frozen=True, kw_only=True)
class PostCreated(Event):
    """A post, reply, quote or repost was committed."""

    name: ClassVar[str] = "posts.post_created"
    version: ClassVar[int] = 1

    post_id: int
    author_id: int
    created_ms: int
    conversation_id: int
    in_reply_to_id: int | None = None
    in_reply_to_user_id: int | None = None
    repost_of_id: int | None = None
    repost_of_user_id: int | None = None
    quote_of_id: int | None = None
    quote_of_user_id: int | None = None
    video_duration_ms: int | None = None
    has_media: bool = False
    language: str = ""
    visibility: str = "public"
    subscribers_only: bool = False
    sensitive: bool = False


@dataclass(frozen=True, kw_only=True)
class PostEdited(Event):
    name: ClassVar[str] = "posts.post_edited"
    version: ClassVar[int] = 1

    post_id: int
    author_id: int
    created_ms: int
    edited_ms: int


@dataclass(frozen=True, kw_only=True)
class PostEmbedded(Event):
    """The content embedding of a post was stored or replaced; `model` names embedder and version."""

    name: ClassVar[str] = "posts.post_embedded"
    version: ClassVar[int] = 1

    post_id: int
    model: str
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class PostDeleted(Event):
    """A post is gone, or a repost was undone; one event per row."""

    name: ClassVar[str] = "posts.post_deleted"
    version: ClassVar[int] = 1

    post_id: int
    author_id: int
    created_ms: int
    repost_of_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class MediaUploaded(Event):
    """A picture or video was stored; no post shows it yet."""

    name: ClassVar[str] = "posts.media_uploaded"
    version: ClassVar[int] = 1

    media_id: int
    owner_id: int
    kind: str
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Engaged(Event):
    """Someone acted on a post. `kind` and `surface` are numbers of `posts.types`."""

    name: ClassVar[str] = "posts.engaged"
    version: ClassVar[int] = 1

    user_id: int
    post_id: int
    author_id: int
    kind: int
    at_ms: int
    surface: int = 0
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class EngagementUndone(Event):
    name: ClassVar[str] = "posts.engagement_undone"
    version: ClassVar[int] = 1

    user_id: int
    post_id: int
    author_id: int
    kind: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class ImpressionsRecorded(Event):
    """A batch of posts was seen by one person."""

    name: ClassVar[str] = "posts.impressions_recorded"
    version: ClassVar[int] = 1

    user_id: int
    post_ids: tuple[int, ...]
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Notified(Event):
    """Notifications of one kind were stored; `kind` is a value of NotificationKind."""

    name: ClassVar[str] = "posts.notified"
    version: ClassVar[int] = 1

    recipient_ids: tuple[int, ...]
    actor_id: int
    kind: str
    post_id: int | None
    at_ms: int


#: A post got attachments, at its birth or later. Sends `post`.
media_attached = Signal()

#: What a post says was changed, within the transaction that does it. Sends `post`.
rewritten = Signal()
