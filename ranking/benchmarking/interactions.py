"""Reads a table of interactions as the common public files have it, and filters it.

One interaction a line: user, item and time, with a rating and an action where there are some. The
separator and the header are recognised, gzip by its first two bytes. Ids are opaque text.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ranking.types import Bools, Int64s
from xsocial.kernel import text_files
from xsocial.kernel.errors import Invalid

SEPARATORS = ("::", "\t", ";", ",")
COLUMN_NAMES = {
    "user": ("user", "user_id", "userid", "uid", "personid"),
    "item": ("item", "item_id", "itemid", "iid", "movieid", "movie_id", "contentid", "post", "post_id"),
    "rating": ("rating", "value", "weight", "strength"),
    "time": ("timestamp", "time", "ts", "unixtime"),
    "action": ("action", "event", "eventtype", "event_type"),
}
# The known actions; anything else, and a file without actions, is a view.
ACTIONS = ("view", "like", "bookmark", "follow", "comment")

HEADER = "user,item,rating,timestamp"
MAX_NUMBER = 2.0**53  # below it a float tells every second apart

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interactions:
    """Columns in order of (time, line); users and items as dense indices into their names."""

    users: Int64s
    items: Int64s
    at: Float64s  # Unix seconds
    ratings: Float64s
    actions: Int64s  # index into ACTIONS
    user_names: tuple[str, ...]
    item_names: tuple[str, ...]
    skipped: int = 0  # rows with too few columns, or without a user or an item

    def __len__(self) -> int:
        return len(self.users)

    @property
    def num_users(self) -> int:
        return len(self.user_names)

    @property
    def num_items(self) -> int:
        return len(self.item_names)

    def keep(self, mask: Bools) -> Interactions:
        """The chosen rows, with indices made dense again."""
        columns = [column[mask] for column in (self.users, self.items, self.at, self.ratings, self.actions)]
        names = []
        for number, old in ((0, self.user_names), (1, self.item_names)):
            present, columns[number] = np.unique(columns[number], return_inverse=True)
            names.append(tuple(old[i] for i in present.tolist()))
        return Interactions(*columns, *names, self.skipped)


def load(path: Path, *, core: int = 5, min_rating: float | None = None) -> Interactions:
    """The first interaction of each pair of a file, after the rating threshold and the k-core filter.

    Raises Invalid naming what is wrong with the file, or that nothing is left of it.
    """
    table = read(path)
    if min_rating is not None:
        table = table.keep(table.ratings >= min_rating)
    table = k_core(first_of_pairs(table), core)
    if not len(table):
        raise Invalid(f"{path}: no interactions are left after the filters (core {core}, rating >= {min_rating}).")
    return table


def read(path: Path) -> Interactions:
    """Every row of the file, ordered by time and line; raises Invalid."""
    lines = text_files.lines(path)
    first = next(lines, "")
    if not first.strip():
        raise Invalid(f"{path}: the first line is empty; one interaction a line is expected.")
    separator = next((s for s in SEPARATORS if s in first), None)
    header = [field.strip().lower().partition(":")[0] for field in next(_split(path, [first], separator))]
    has_header = any(name in COLUMN_NAMES["user"] + COLUMN_NAMES["item"] for name in header)
    places = _named_places(path, header) if has_header else _default_places(path, len(header))
    if has_header:
        return _parse(path, _split(path, lines, separator), places, first_line=2)
    return _parse(path, _split(path, chain([first], lines), separator), places, first_line=1)


def _split(path: Path, lines: Iterable[str], separator: str | None) -> Iterator[list[str]]:
    """Fields of each line; commas and semicolons may stand inside double quotes."""
    if separator not in (",", ";"):
        yield from (line.rstrip("\r\n").split(separator) for line in lines)
        return
    try:
        yield from csv.reader(lines, delimiter=separator)
    except csv.Error as error:
        raise Invalid(f"{path}: not readable as a table ({error}).") from None


def _named_places(path: Path, header: list[str]) -> dict[str, int]:
    places = {}
    for column, names in COLUMN_NAMES.items():
        found = [i for i, name in enumerate(header) if name in names]
        if found:
            places[column] = found[0]
    missing = [column for column in ("user", "item", "time") if column not in places]
    if missing:
        raise Invalid(f"{path}: no {' or '.join(missing)} column in the header: {', '.join(header)}.")
    return places


def _default_places(path: Path, width: int) -> dict[str, int]:
    if width < 3:
        raise Invalid(f"{path}: no header, and {width} column(s); user, item and timestamp are needed.")
    if width == 3:
        return {"user": 0, "item": 1, "time": 2}
    return {"user": 0, "item": 1, "rating": 2, "time": 3}


def _parse(path: Path, rows: Iterator[list[str]], places: dict[str, int], *, first_line: int) -> Interactions:
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    columns: tuple[list, ...] = ([], [], [], [], [])
    needed = max(places[column] for column in ("user", "item", "time"))
    rating_at, action_at = places.get("rating", -1), places.get("action", -1)
    skipped = 0
    for number, row in enumerate(rows, first_line):
        user, item = (row[places[key]].strip() if len(row) > places[key] else "" for key in ("user", "item"))
        if not (user and item) or len(row) <= max(needed, rating_at):
            skipped += any(row)
            continue
        columns[0].append(users.setdefault(user, len(users)))
        columns[1].append(items.setdefault(item, len(items)))
        columns[2].append(_number(path, number, "timestamp", row[places["time"]]))
        columns[3].append(_number(path, number, "rating", row[rating_at]) if rating_at >= 0 else 1.0)
        columns[4].append(_action(row[action_at]) if 0 <= action_at < len(row) else 0)
    if not columns[0]:
        raise Invalid(f"{path}: no interactions ({skipped} rows with too few columns).")
    types = (np.int64, np.int64, np.float64, np.float64, np.int64)
    arrays = [np.array(column, dtype=kind) for column, kind in zip(columns, types, strict=True)]
    order = np.argsort(arrays[2], kind="stable")
    return Interactions(*(column[order] for column in arrays), tuple(users), tuple(items), skipped)


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_NUMBER:
        advice = f"; is this a header? It needs a user, an item and a time column, as {HEADER}" if line == 1 else ""
        raise Invalid(f"{path}, line {line}: the {name} {text[:40]!r} is not a usable number{advice}.")
    return value


def _action(text: str) -> int:
    words = text.strip().lower().split()
    return ACTIONS.index(words[0]) if words and words[0] in ACTIONS else 0


def first_of_pairs(table: Interactions) -> Interactions:
    """Without repetitions: the first interaction of each user with each item."""
    pairs = table.users * table.num_items + table.items
    _, first = np.unique(pairs, return_index=True)
    mask = np.zeros(len(table), dtype=bool)
    mask[first] = True
    return table.keep(mask)


def k_core(table: Interactions, core: int) -> Interactions:
    """Drops users and items with fewer interactions than `core`, until none is left to drop."""
    while len(table):
        enough = np.bincount(table.users)[table.users] >= core
        enough &= np.bincount(table.items)[table.items] >= core
        if enough.all():
            break
        table = table.keep(enough)
    return table
