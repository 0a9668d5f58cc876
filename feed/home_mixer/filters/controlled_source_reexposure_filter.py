"""Lets a source post come back through other cards, a bounded number of times; one card of it per page."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.candidate import NO, YES, related_ids
from feed.home_mixer.query import ScoredPostsQuery


class ControlledSourceReexposureFilter(Filter):
    """A community proposal upstream; off by default. Then served posts come back at most K times in all."""

    reads = ("post_id", "repost_of_id", "quote_of_id", "in_reply_to_id", "in_network")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, with more than one serve allowed."""
        return query.allows_reexposure

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows: of each source at most one card, and none that was served enough."""
        keys = source_keys(batch)
        allowed = self._allowed(query, batch, keys)
        kind = np.where(batch["repost_of_id"] > 0, 1, np.where(batch["quote_of_id"] > 0, 2, 0))
        # Of a source's cards: the original, then a repost, then the first.
        order = np.lexsort((np.arange(batch.n), kind, ~allowed, keys))
        first = np.ones(batch.n, bool)
        first[1:] = keys[order][1:] != keys[order][:-1]
        keep = np.zeros(batch.n, bool)
        keep[order[first]] = True
        return keep & allowed

    def _allowed(self, query: ScoredPostsQuery, batch: Batch, keys: np.ndarray) -> np.ndarray:
        params = query.params
        served, counts = np.unique(query.served_ids, return_counts=True)
        times = _looked_up(keys, served, counts)
        was_served = times > 0
        for column in related_ids(batch):
            was_served |= np.isin(column, served) & (column > 0)
        stopped = was_served & (times >= params.reexposure_max_serves)
        if params.reexposure_min_gap > 0 and query.served_order is not None:
            ids, pages_ago = query.served_order
            recent = ids[pages_ago < params.reexposure_min_gap]
            for column in (keys, *related_ids(batch)):
                stopped |= np.isin(column, recent) & (column > 0)
        if params.reexposure_in_network_only:
            passed_on = (batch["repost_of_id"] > 0) | (batch["quote_of_id"] > 0)
            known = np.where(passed_on, batch["in_network"] == YES, batch["in_network"] != NO)
            stopped |= was_served & ~known
        return ~stopped


def source_keys(batch: Batch) -> np.ndarray:
    """What a card is about: the reposted post, else the quoted one, else the post itself."""
    quoted = np.where(batch["quote_of_id"] > 0, batch["quote_of_id"], batch["post_id"])
    return np.where(batch["repost_of_id"] > 0, batch["repost_of_id"], quoted)


def _looked_up(ids: np.ndarray, known: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if not len(known):
        return np.zeros(len(ids), np.int64)
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[place] == ids, counts[place], 0)
