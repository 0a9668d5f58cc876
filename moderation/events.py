"""What moderation announces. Fields are plain values; times are milliseconds since 1970."""

from dataclasses import dataclass
from typing import ClassVar

from xsocial.kernel.event_log import Event


@dataclass(frozen=True, kw_only=True)
class PostLabelled(Event):
    """The active labels of a post changed: `applied` came, `lifted` went. Caches drop the post."""

    name: ClassVar[str] = "moderation.post_labelled"
    version: ClassVar[int] = 1

    post_id: int
    applied: tuple[str, ...]
    lifted: tuple[str, ...]
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class PostReported(Event):
    """A person reported a post or, with `post_id` None, an account."""

    name: ClassVar[str] = "moderation.post_reported"
    version: ClassVar[int] = 1

    report_id: int
    reporter_id: int
    account_id: int
    post_id: int | None
    reason: str
    at_ms: int
