"""Keeps what a topic page asks for, and leaves snoozed topics out."""

from collections.abc import Callable

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer import topics
from feed.home_mixer.query import ScoredPostsQuery

Rule = Callable[[set[int], set[int]], bool]


class TopicIdsFilter(Filter):
    """One to six topics select; more than six only exclude the rest; snoozed topics always exclude."""

    reads = ("filtered_topics", "unfiltered_topics")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when the request names topics."""
        return query.is_topic_request or bool(query.excluded_topic_ids)

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        tree = topics.of_request(query.memo)
        rules: list[Rule] = []
        if query.is_bulk_topic_request:
            rules.append(_bulk(tree, query.topic_ids))
        elif query.is_topic_request:
            rules.append(_ordinary(tree, query.topic_ids))
        if query.excluded_topic_ids:
            rules.append(_excluded(tree, query.excluded_topic_ids))
        pairs = zip(batch["filtered_topics"], batch["unfiltered_topics"], strict=True)
        return np.array([all(rule(f or set(), u or set()) for rule in rules) for f, u in pairs], dtype=bool)


def _ordinary(tree: topics.TopicTree, wanted: tuple[int, ...]) -> Rule:
    expanded = [(tree.expand(topic), tree.expand(tree.super_topic(topic))) for topic in wanted]
    return lambda filtered, unfiltered: any(
        filtered & own or (unfiltered & own and filtered & above) for own, above in expanded
    )


def _bulk(tree: topics.TopicTree, wanted: tuple[int, ...]) -> Rule:
    asked = set().union(*(tree.expand(topic) for topic in wanted))
    excluded = tree.everything() - asked
    return lambda filtered, _: not filtered or not filtered <= excluded


def _excluded(tree: topics.TopicTree, unwanted: tuple[int, ...]) -> Rule:
    excluded = set(unwanted).union(*(tree.expand(topic) for topic in unwanted))
    return lambda filtered, _: bool(filtered) and not filtered & excluded
