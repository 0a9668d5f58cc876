"""Plain vocabulary of posts that other apps share."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

POST_MAX_LENGTH = 500
MAX_MEDIA_PER_POST = 4


class EngagementKind(IntEnum):
    """What a person did about a post.

    0 to 18 follow the published score order (order S of the ranking runner); the rest are ours.
    The numbers are stored: never renumber, only append.
    """

    FAVORITE = 0
    REPLY = 1
    REPOST = 2
    PHOTO_EXPAND = 3
    CLICK = 4
    PROFILE_CLICK = 5
    VIDEO_QUALITY_VIEW = 6
    SHARE = 7
    SHARE_VIA_DM = 8
    SHARE_VIA_COPY_LINK = 9
    DWELL = 10
    QUOTE = 11
    QUOTED_CLICK = 12
    FOLLOW_AUTHOR = 13
    NOT_INTERESTED = 14
    BLOCK_AUTHOR = 15
    MUTE_AUTHOR = 16
    REPORT = 17
    DWELL_TIME = 18
    NOT_DWELLED = 19
    VIDEO_VIEW = 20
    CLICK_DWELL = 21
    BOOKMARK = 22
    OPEN_LINK = 23
    QUOTED_VIDEO_QUALITY_VIEW = 24


#: Kinds that exist at most once per person and post, and that can be taken back.
TOGGLED_KINDS = frozenset({EngagementKind.FAVORITE, EngagementKind.REPOST, EngagementKind.BOOKMARK})


class Surface(IntEnum):
    """Where in the product something was seen or done. Stored: only append."""

    UNSPECIFIED = 0
    HOME_FOR_YOU = 1
    HOME_FOLLOWING = 2
    PROFILE = 3
    POST_DETAIL = 4
    SEARCH = 5
    NOTIFICATIONS = 6
    GALLERY = 7
    TAG = 8
    BOOKMARKS = 9
    API = 10
    LIST = 11


class Visibility(StrEnum):
    """Who may open a post (the words of the Mastodon API)."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "private"
    DIRECT = "direct"


POLL_MAX_OPTIONS = 4
POLL_OPTION_MAX_LENGTH = 50
# Seconds: five minutes to seven days.
POLL_SHORTEST, POLL_LONGEST = 300, 7 * 86_400


@dataclass(frozen=True)
class PollDraft:
    """A poll as it is asked for."""

    options: tuple[str, ...]
    duration_s: int
    multiple: bool = False
    hides_totals: bool = False


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    GIF = "gifv"


@dataclass(frozen=True)
class SeenPost:
    """One impression as a browser reports it: a post, where it stood, and for how long."""

    post_id: int
    surface: Surface = Surface.UNSPECIFIED
    position: int | None = None
    request_id: int | None = None
    seconds: float | None = None
    propensity: float | None = None


@dataclass(frozen=True)
class ViewerMarks:
    """What the viewer has done with one post."""

    is_favorited: bool = False
    is_reposted: bool = False
    is_bookmarked: bool = False
    is_pinned: bool = False
