"""Pages by id, as the Mastodon API has them: ids grow with time, so an id is a place in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet

from xsocial.kernel import ids
from xsocial.kernel.errors import Invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 80

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Cursor:
    """Which stretch of a list to return; all bounds exclude the id they name.

    `max_id`: older than. `since_id`: newer than, newest first from the top. `min_id`: newer than,
    the stretch that follows directly (for scrolling up without a gap).
    """

    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
    limit: int = DEFAULT_LIMIT

    @classmethod
    def parse(cls, params: Mapping[str, str], *, default_limit: int = DEFAULT_LIMIT) -> "Cursor":
        """Read a query string. Raises Invalid for anything that is not a plain number."""
        bounds = {name: _number(params, name) for name in ("max_id", "since_id", "min_id")}
        limit = _number(params, "limit")
        return cls(**bounds, limit=min(MAX_LIMIT, max(1, default_limit if limit is None else limit)))


def paged(rows: QuerySet[M], cursor: Cursor, *, key: str = "pk") -> list[M]:
    """The rows of one page, newest first. `key` is the unique id column that the cursor names."""
    if cursor.max_id is not None:
        rows = rows.filter(**{f"{key}__lt": cursor.max_id})
    if cursor.since_id is not None:
        rows = rows.filter(**{f"{key}__gt": cursor.since_id})
    if cursor.min_id is not None:
        following = rows.filter(**{f"{key}__gt": cursor.min_id}).order_by(key)[: cursor.limit]
        return list(following)[::-1]
    return list(rows.order_by(f"-{key}")[: cursor.limit])


def _number(params: Mapping[str, str], name: str) -> int | None:
    raw = params.get(name)
    if raw is None or raw == "":
        return None
    found = ids.parsed(str(raw))
    if found is None:
        raise Invalid(f"{name} must be a number.", extra={"field": name})
    return found
