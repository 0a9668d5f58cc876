"""What accounts announces. Listeners read these from the event log; fields are plain values.

Times are milliseconds since 1970. An event of a pair names both ends, so that a listener can
update its copy of the graph without asking the database.

The signals at the end run inside the transaction. They are for apps above that must write
in the same transaction; everything else reads the log.
"""

from dataclasses import dataclass
from typing import ClassVar

from django.dispatch import Signal

from xsocial.kernel.event_log import Event


@dataclass(frozen=True, kw_only=True)
class Followed(Event):
    name: ClassVar[str] = "accounts.followed"
    version: ClassVar[int] = 1

    follower_id: int
    followee_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Unfollowed(Event):
    """A follow ended: by the follower, by the followed, or through a block."""

    name: ClassVar[str] = "accounts.unfollowed"
    version: ClassVar[int] = 1

    follower_id: int
    followee_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class FollowRequested(Event):
    name: ClassVar[str] = "accounts.follow_requested"
    version: ClassVar[int] = 1

    requester_id: int
    target_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Blocked(Event):
    """Each end of the pair no longer sees the other. `Unfollowed` events precede it."""

    name: ClassVar[str] = "accounts.blocked"
    version: ClassVar[int] = 1

    blocker_id: int
    blocked_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Unblocked(Event):
    name: ClassVar[str] = "accounts.unblocked"
    version: ClassVar[int] = 1

    blocker_id: int
    blocked_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Muted(Event):
    name: ClassVar[str] = "accounts.muted"
    version: ClassVar[int] = 1

    muter_id: int
    muted_id: int
    expires_ms: int | None
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Unmuted(Event):
    name: ClassVar[str] = "accounts.unmuted"
    version: ClassVar[int] = 1

    muter_id: int
    muted_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class PreferencesChanged(Event):
    """Muted keywords, topics, packs, subscriptions or feed settings of a person changed."""

    name: ClassVar[str] = "accounts.preferences_changed"
    version: ClassVar[int] = 1

    user_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class ProfileUpdated(Event):
    name: ClassVar[str] = "accounts.profile_updated"
    version: ClassVar[int] = 1

    user_id: int
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class ReachabilityChanged(Event):
    """An account was deactivated, came back, or was deleted: its posts vanish or return."""

    name: ClassVar[str] = "accounts.reachability_changed"
    version: ClassVar[int] = 1

    user_id: int
    is_reachable: bool
    at_ms: int


#: Each sends `follower` and `followee`.
follow_made = Signal()
follow_requested = Signal()
follow_accepted = Signal()
