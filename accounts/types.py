"""Plain vocabulary of people that other apps share."""

from dataclasses import dataclass
from enum import StrEnum

#: Languages that people may name as theirs, as they are written in themselves.
LANGUAGES = (("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"), ("ja", "日本語"))


class FollowState(StrEnum):
    """What stands after asking to follow somebody."""

    FOLLOWING = "following"
    REQUESTED = "requested"


class RepliesPolicy(StrEnum):
    """Which replies a list shows (the words of the Mastodon API): to those followed, to those on it, or none."""

    FOLLOWED = "followed"
    LIST = "list"
    NONE = "none"


@dataclass(frozen=True)
class Relationship:
    """How the viewer stands to one other account, and it to the viewer."""

    user_id: int
    is_following: bool = False
    shows_reposts: bool = False
    notifies: bool = False
    is_followed_by: bool = False
    is_blocking: bool = False
    is_blocked_by: bool = False
    is_muting: bool = False
    is_muting_notifications: bool = False
    is_requested: bool = False
    is_requested_by: bool = False
    is_subscribed: bool = False
