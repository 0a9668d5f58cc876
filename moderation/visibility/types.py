"""What visibility is told, and what it answers. Plain values."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Action(IntEnum):
    """From least to most severe."""

    ALLOW = 0
    INTERSTITIAL = 1
    DROP = 2


class Reason(StrEnum):
    """Why a post is covered or dropped. SAFETY reasons come from labels, the others from who and what."""

    NONE = ""
    DELETED = "deleted"
    AUTHOR_SUSPENDED = "author_suspended"
    AUTHOR_DEACTIVATED = "author_deactivated"
    AUTHOR_BLOCKS_VIEWER = "author_blocks_viewer"
    VIEWER_BLOCKS_AUTHOR = "viewer_blocks_author"
    PROTECTED = "protected"
    NOT_ADDRESSED = "not_addressed"
    SUBSCRIBERS_ONLY = "subscribers_only"
    UNSCREENED = "unscreened"
    SAFETY_LEGAL = "legal"
    SAFETY_CHILD = "child_safety"
    SAFETY_SPAM = "spam"
    SAFETY_ADULT = "adult"
    SAFETY_GRAPHIC = "graphic"
    SAFETY_ABUSE = "abuse"
    SAFETY_SELF_HARM = "self_harm"
    SAFETY_DECEPTION = "deception"
    SAFETY_LIMITED = "limited"
    SAFETY_SENSITIVE = "sensitive"


@dataclass(frozen=True)
class PostFacts:
    """One post and its author, as far as visibility asks. The last four relate to the viewer."""

    post_id: int
    author_id: int
    labels: frozenset[str] = frozenset()
    is_deleted: bool = False
    is_sensitive: bool = False
    is_subscribers_only: bool = False
    is_open: bool = True  # public or unlisted, as opposed to followers only or direct
    is_direct: bool = False
    author_suspended: bool = False
    author_deactivated: bool = False
    author_protected: bool = False
    author_adult: bool = False
    names_viewer: bool = False


@dataclass(frozen=True)
class ViewerFacts:
    """The viewer: id None for a visitor. `is_adult` is False only for a declared age under 18."""

    user_id: int | None = None
    is_adult: bool = False
    shows_sensitive: bool = False
    shows_unscreened: bool = False
    following: frozenset[int] = field(default_factory=frozenset)
    subscribed: frozenset[int] = field(default_factory=frozenset)
    blocked: frozenset[int] = field(default_factory=frozenset)
    blocked_by: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Verdict:
    """What to do with a post, why, and by which rule."""

    action: Action = Action.ALLOW
    reason: Reason = Reason.NONE
    rule: str = ""

    @property
    def is_dropping(self) -> bool:
        return self.action is Action.DROP


ALLOWED = Verdict()
