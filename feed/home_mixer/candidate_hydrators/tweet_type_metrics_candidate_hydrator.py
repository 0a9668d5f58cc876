"""A bit set that says what kind of post was served, for counting."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer.candidate import NO
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import ids

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
BIT_NAMES = {
    0: "any",
    1: "repost",
    2: "reply",
    5: "video",
    10: "subscriber_post",
    23: "served_below_3",
    32: "served_none",
    37: "has_ancestors",
    38: "has_score",
    39: "served_below_20",
    40: "served_below_10",
    41: "served_below_5",
    80: "in_network",
    151: "video_up_to_10_s",
    152: "video_up_to_60_s",
    153: "video_above_60_s",
    154: "age_up_to_30_min",
    155: "age_up_to_1_h",
    156: "age_up_to_6_h",
    157: "age_up_to_12_h",
    158: "age_from_24_h",
    309: "author_below_100",
    310: "author_below_1k",
    311: "author_below_10k",
    312: "author_below_100k",
    313: "author_below_1m",
    314: "author_from_1m",
}


class TweetTypeMetricsCandidateHydrator(Hydrator):
    """Bit n is bit n mod 8 of byte n div 8."""

    reads = ("post_id", "repost_of_id", "in_reply_to_id", "video_ms", "subscription_author_id")
    writes = ("type_metrics",)
    inline = True

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """A mask per bit, packed per row."""
        masks = bit_masks(query, batch)
        table = np.zeros((batch.n, max(masks) + 1), bool)
        for number, mask in masks.items():
            table[:, number] = mask
        return {"type_metrics": pack(table)}


def bit_masks(query: ScoredPostsQuery, batch: Batch) -> dict[int, Any]:
    """Bit number -> which rows have it."""
    age = query.now_ms - ids.timestamp_ms(batch["post_id"])
    video, followers = batch["video_ms"], batch["author_followers"]
    served = len(query.served_ids)
    edges = (100, 1_000, 10_000, 100_000, 1_000_000)
    size = np.searchsorted(edges, np.nan_to_num(followers, nan=-1.0), side="right")
    return {
        0: True,
        1: batch["repost_of_id"] > 0,
        2: batch["in_reply_to_id"] > 0,
        5: ~np.isnan(video),
        10: batch["subscription_author_id"] > 0,
        23: served < 3,
        32: served == 0,
        37: np.array([bool(ancestors) for ancestors in batch["ancestors"]], dtype=bool),
        38: np.nan_to_num(batch["score"], nan=0.0) != 0,
        39: served < 20,
        40: served < 10,
        41: served < 5,
        80: batch["in_network"] != NO,
        151: video <= 10_000,
        152: (video > 10_000) & (video <= 60_000),
        153: video > 60_000,
        154: age <= 30 * MINUTE_MS,
        155: age <= HOUR_MS,
        156: age <= 6 * HOUR_MS,
        157: age <= 12 * HOUR_MS,
        158: age >= 24 * HOUR_MS,
        **{309 + step: (size == step) & ~np.isnan(followers) for step in range(len(edges) + 1)},
    }


def unpack(packed: bytes) -> list[int]:
    """The bits of a packed set, rising."""
    return np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")).tolist()


def pack(table: np.ndarray) -> list[bytes]:
    """Each row of bits as bytes, as many as its highest bit needs."""
    return [row.tobytes().rstrip(b"\0") for row in np.packbits(table, axis=1, bitorder="little")]
