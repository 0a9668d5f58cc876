"""The outer pipeline's candidates: rows, because a page holds at most a few dozen of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ads.blending import Verdict
from feed.candidate_pipeline import Batch, Column, Schema
from feed.home_mixer.candidate import YES

POST, AD, WHO_TO_FOLLOW, PROMPT, PUSH_TO_HOME = "post", "ad", "who_to_follow", "prompt", "push_to_home"

SCHEMA = Schema(
    {
        "kind": Column(object, None),
        "item": Column(object, None),
        "position": Column(np.int64, 0),
    }
)


@dataclass(frozen=True, slots=True)
class PostRow:
    """One selected post; the blenders read id, author, text, score and verdict."""

    id: int
    author_id: int
    text: str
    score: float
    verdict: Verdict | None
    repost_of_id: int = 0
    repost_of_user_id: int = 0
    in_reply_to_id: int = 0
    in_network: bool = False
    source: str = ""
    ancestors: tuple[int, ...] = ()
    visibility: dict[str, str] | None = None
    row: Mapping[str, Any] = field(default_factory=dict)  # every column, for what follows the page

    @property
    def card(self) -> str:
        """What kind of card it is: repost, quote or original."""
        if self.repost_of_id:
            return "repost"
        return "quote" if self.row.get("quote_of_id") else "original"

    @property
    def conversation(self) -> int:
        """The smallest ancestor, or the post itself."""
        return min(self.ancestors) if self.ancestors else self.id


@dataclass(frozen=True, slots=True)
class WhoToFollowModule:
    """Accounts worth following."""

    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PushToHomeItem:
    """The post a notification was about, with who answered it."""

    post_id: int
    author_id: int
    in_reply_to_id: int = 0
    conversation_id: int = 0
    facepile: tuple[int, ...] = ()


def items(kind: str, values: list) -> Batch:
    """A batch of outer candidates of one kind."""
    return Batch.of(SCHEMA, kind=[kind] * len(values), item=values)


def post_rows_of(selected: Batch) -> list[PostRow]:
    """Row objects of the selected posts, in order."""
    lists = _Lists(selected)
    return [_post_row(_Row(lists, place)) for place in range(selected.n)]


class _Lists:
    """The columns of a batch as lists of plain values, each made when it is first read."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._made: dict[str, list] = {}

    def __getitem__(self, name: str) -> list:
        if name not in self._made:
            self._made[name] = self.batch[name].tolist()
        return self._made[name]


class _Row(Mapping[str, Any]):
    """One row of a batch: a page reads a dozen of its columns, and what follows a page most of the others."""

    def __init__(self, lists: _Lists, place: int) -> None:
        self._lists, self._place = lists, place

    def __getitem__(self, name: str) -> Any:
        return self._lists[name][self._place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists.batch.schema.columns)

    def __len__(self) -> int:
        return len(self._lists.batch.schema.columns)


def _post_row(row: Mapping[str, Any]) -> PostRow:
    return PostRow(
        id=row["post_id"],
        author_id=row["author_id"],
        text=row["text"] or "",
        score=row["score"],
        verdict=row["brand_safety"],
        repost_of_id=row["repost_of_id"],
        repost_of_user_id=row["repost_of_user_id"],
        in_reply_to_id=row["in_reply_to_id"],
        in_network=row["in_network"] == YES,
        source=row["served_type"] or "",
        ancestors=row["ancestors"] or (),
        visibility=row["visibility"],
        row=row,
    )
