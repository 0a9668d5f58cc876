"""How much of each author the viewer was served in the last minutes: for diversity across pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import feed_item
from feed.home_mixer.params import Params
from feed.home_mixer.query import ScoredPostsQuery
from feed.models import ServedHistory
from xsocial.kernel import clock

TOO_MANY = 20_000

Record = tuple[int, datetime, Sequence[dict[str, Any]]]  # request id, served at, entries


class AuthorExposureQueryHydrator(QueryHydrator):
    """Off by default, and For You only. Whatever goes wrong, the page is ranked as without it."""

    writes = ("author_exposure",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter; not for topics nor for Following."""
        is_for_you = not query.in_network_only and not query.is_topic_request
        return query.params.cross_request_diversity and is_for_you

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """One query over the newest records of this viewer and platform."""
        now = clock.from_ms(query.now_ms)
        since = now - timedelta(seconds=query.params.cross_request_window_s)
        records = ServedHistory.objects.filter(
            user_id=query.user_id, timeline="home", platform=query.platform, served_at__gt=since
        ).order_by("-served_at")
        rows = list(records.values_list("request_id", "served_at", "entries"))
        found = exposure(rows, now=now, params=query.params)
        return {} if found is None else {"author_exposure": found}


def exposure(records: Iterable[Record], *, now: datetime, params: Params) -> tuple[np.ndarray, np.ndarray] | None:
    """Authors by id and what to add to the exponent of their next post; None when there is too much to read.

    Each slot of each page counts once, weighing half for every half-life of its age.
    """
    rows = list(records)
    if sum(len(entries) for _, _, entries in rows) > TOO_MANY:
        return None
    counted: set[tuple[Any, ...]] = set()
    totals: dict[int, float] = {}
    for request_id, served_at, entries in rows:
        age_s = (now - served_at).total_seconds()
        if not 0 <= age_s < params.cross_request_window_s:
            continue
        for entry in entries:
            author, post = int(entry.get("author_id") or 0), int(entry.get("post_id") or 0)
            if entry.get("kind", feed_item.POST) != feed_item.POST or author <= 0 or post <= 0:
                continue
            key = (request_id or served_at, entry.get("slot", post), author)
            if key in counted or len(counted) >= params.cross_request_max_items:
                continue
            counted.add(key)
            totals[author] = totals.get(author, 0.0) + 2.0 ** (-age_s / params.cross_request_half_life_s)
    authors = np.array(sorted(totals), np.int64)
    counts = np.array([totals[author] for author in authors.tolist()])
    return authors, params.cross_request_weight * np.minimum(counts, params.cross_request_max_count)
