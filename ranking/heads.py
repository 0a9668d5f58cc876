"""Heads of the model and engagement kinds of the product, matched by name in this one place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posts.types import EngagementKind
from ranking.types import Floats, Int64s

HEAD_OF_KIND = {
    EngagementKind.FAVORITE: "favorite",
    EngagementKind.REPLY: "reply",
    EngagementKind.REPOST: "repost",
    EngagementKind.PHOTO_EXPAND: "photo_expand",
    EngagementKind.CLICK: "click",
    EngagementKind.PROFILE_CLICK: "profile_click",
    EngagementKind.VIDEO_QUALITY_VIEW: "vqv",
    EngagementKind.SHARE: "share",
    EngagementKind.SHARE_VIA_DM: "share_via_dm",
    EngagementKind.SHARE_VIA_COPY_LINK: "share_via_copy_link",
    EngagementKind.DWELL: "dwell",
    EngagementKind.QUOTE: "quote",
    EngagementKind.QUOTED_CLICK: "quoted_click",
    EngagementKind.QUOTED_VIDEO_QUALITY_VIEW: "quoted_vqv",
    EngagementKind.FOLLOW_AUTHOR: "follow_author",
    EngagementKind.NOT_INTERESTED: "not_interested",
    EngagementKind.BLOCK_AUTHOR: "block_author",
    EngagementKind.MUTE_AUTHOR: "mute_author",
    EngagementKind.REPORT: "report",
    EngagementKind.NOT_DWELLED: "not_dwelled",
    EngagementKind.VIDEO_VIEW: "video_open",
    EngagementKind.OPEN_LINK: "open_link",
}
# No action of its own: training sets this bit where a post of an author new to the viewer was taken up.
EXPLORED_BIT, EMPTY_BIT = 61, 62
EXPLORED = 1 << EXPLORED_BIT
BIT_OF_HEAD = {head: int(kind) for kind, head in HEAD_OF_KIND.items()} | {"post_unexplored": EXPLORED_BIT}


def bits_of(kinds: Sequence[EngagementKind]) -> int:
    """Bit mask of kinds."""
    return sum(1 << int(kind) for kind in kinds)


# A row with none but these says no more than that the post was on the screen.
MERE_IMPRESSION = bits_of([EngagementKind.NOT_DWELLED, EngagementKind.DWELL_TIME])
# Kinds whose seconds measure attention to the post in the feed, and after opening it.
DWELL_KINDS = bits_of([EngagementKind.DWELL, EngagementKind.DWELL_TIME, EngagementKind.NOT_DWELLED])
CLICK_DWELL_KINDS = bits_of([EngagementKind.CLICK_DWELL])
STRONG_POSITIVE = bits_of(
    [
        EngagementKind.FAVORITE,
        EngagementKind.REPLY,
        EngagementKind.REPOST,
        EngagementKind.QUOTE,
        EngagementKind.SHARE,
        EngagementKind.SHARE_VIA_DM,
        EngagementKind.SHARE_VIA_COPY_LINK,
        EngagementKind.FOLLOW_AUTHOR,
        EngagementKind.BOOKMARK,
    ]
)
WEAK_POSITIVE = bits_of(
    [
        EngagementKind.CLICK,
        EngagementKind.PROFILE_CLICK,
        EngagementKind.PHOTO_EXPAND,
        EngagementKind.VIDEO_QUALITY_VIEW,
        EngagementKind.DWELL,
        EngagementKind.QUOTED_CLICK,
        EngagementKind.QUOTED_VIDEO_QUALITY_VIEW,
    ]
)
NEGATIVE = bits_of(
    [
        EngagementKind.NOT_INTERESTED,
        EngagementKind.BLOCK_AUTHOR,
        EngagementKind.MUTE_AUTHOR,
        EngagementKind.REPORT,
    ]
)


def multi_hot(bits: Int64s, heads: Sequence[str]) -> Floats:
    """Bit masks [...] of kinds as a multi-hot [..., heads] in the model's head order."""
    shifts = np.array([BIT_OF_HEAD.get(head, EMPTY_BIT) for head in heads])
    return ((bits[..., None] >> shifts) & 1).astype(np.float32)
