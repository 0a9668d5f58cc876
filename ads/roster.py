"""Creatives with all that the auction and an ad need of them, kept in memory for a few seconds.

Only what advertisers write is kept: texts, targeting, bids. Whether a creative may be shown at
all, what was spent and who saw it is asked of the database for every page.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch

from accounts.models import Topic
from ads.models import Creative
from ads.types import Targeting

KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A creative, its campaign's targeting, and until when both may be used."""

    creative: Creative
    targeting: Targeting
    expires: float  # on time.monotonic()


_entries: dict[int, Entry] = {}


def of(creative_ids: Iterable[int]) -> dict[int, Entry]:
    """The entries of these creatives; at most two queries, and none while all are fresh."""
    global _entries
    now = time.monotonic()
    known = {id_: entry for id_ in creative_ids if (entry := _entries.get(id_)) and entry.expires > now}
    missing = [id_ for id_ in creative_ids if id_ not in known]
    if missing:
        known |= _read(missing, now + KEPT_S)
        kept = {id_: entry for id_, entry in _entries.items() if entry.expires > now}
        _entries = kept | known  # replaced whole: other threads may be reading
    return known


def _read(creative_ids: list[int], expires: float) -> dict[int, Entry]:
    topics = Prefetch("campaign__topics", queryset=Topic.objects.only("id", "name", "position"))
    creatives = Creative.objects.select_related("campaign__advertiser", "post").prefetch_related(topics)
    return {
        creative.pk: Entry(creative, creative.campaign.targeting, expires)
        for creative in creatives.filter(pk__in=creative_ids)
    }
