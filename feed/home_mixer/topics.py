"""The topic tree as the topic filters read it: what a topic covers, and what stands above it."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.models import Topic
from feed.home_mixer.query import Memo


@dataclass(frozen=True)
class TopicTree:
    """Parents by topic id. Our topics form a tree, so expansion is "itself and all below"."""

    parents: dict[int, int | None] = field(default_factory=dict)

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
    return memo.once("topics", lambda: TopicTree(dict(Topic.objects.values_list("id", "parent_id"))))
