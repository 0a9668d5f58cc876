"""The topic tree as the topic filters read it: what a topic covers, and what stands above it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from feed.home_mixer.query import Memo
from xsocial.kernel import sql

PLACES = 32  # parent topics the models know
MEMO = "topics"  # where a request keeps the tree
_TREE = "SELECT id, parent_id FROM accounts_topic ORDER BY position, name"


@dataclass(frozen=True)
class TopicTree:
    """Parents by topic id, in the platform's order. Our topics form a tree, so expansion is "itself and all below"."""

    parents: dict[int, int | None] = field(default_factory=dict)

    def multi_hot(self, topic_ids: Iterable[int], *, at_most: int | None = None) -> np.ndarray:
        """32 yes-or-no values: place i is the i-th topic without a parent; a topic below counts for it.

        With ``at_most`` only that many different places, in the order given.
        """
        places = {topic: place for place, topic in enumerate(self._tops()[:PLACES])}
        tops = dict.fromkeys(places[top] for topic in topic_ids if (top := self._top(topic)) in places)
        hot = np.zeros(PLACES, bool)
        hot[list(tops)[:at_most]] = True
        return hot

    def _tops(self) -> list[int]:
        return [topic for topic, parent in self.parents.items() if parent is None]

    def _top(self, topic: int) -> int:
        passed = {topic}
        while (parent := self.parents.get(topic)) and parent not in passed:  # a loop in the data must not be ours
            passed.add(topic := parent)
        return topic

    def expand(self, topic: int) -> set[int]:
        """The topic and everything below it; an unknown topic covers itself."""
        covered = {topic}
        grown = True
        while grown:
            below = {child for child, parent in self.parents.items() if parent in covered}
            grown = not below <= covered
            covered |= below
        return covered

    def super_topic(self, topic: int) -> int:
        """The topic above, or itself at the top."""
        return self.parents.get(topic) or topic

    def everything(self) -> set[int]:
        """All topics a person can choose."""
        return set(self.parents)


def of_request(memo: Memo) -> TopicTree:
    """The tree, read once per request."""
    return memo.once(MEMO, lambda: TopicTree(dict(sql.rows(_TREE, {}))))
