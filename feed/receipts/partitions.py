"""Days of the receipts' table: made ahead, and dropped whole when they are over thirty days old.

A partition holds the request ids of one day, UTC. Dropping one costs the same whatever it holds,
where deleting rows would leave as much work again for vacuum.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from xsocial.kernel import clock, ids

TABLE = "feed_receipt"
KEPT = timedelta(days=30)
AHEAD = 2  # days made beforehand, so that a beat that stands still for a day costs nothing
_NAME = re.compile(rf"{TABLE}_(\d{{8}})$")
_EXISTING_SQL = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"


def make(day: date) -> None:
    """The partition of a day; nothing when it exists."""
    low, high = (ids.id_at(clock.to_ms(_midnight(each))) for each in (day, day + timedelta(days=1)))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE}_{day:%Y%m%d} PARTITION OF {TABLE} FOR VALUES FROM ({low}) TO ({high})"
        )


def make_ahead() -> int:
    """Today's partition and those of the next days; returns how many there are."""
    today = clock.now().astimezone(UTC).date()
    for days in range(AHEAD + 1):
        make(today + timedelta(days=days))
    return AHEAD + 1


def drop_expired() -> list[date]:
    """Drops every day that ended more than thirty days ago; returns the days."""
    oldest = clock.now() - KEPT
    expired = [day for day in days() if _midnight(day + timedelta(days=1)) <= oldest]
    with connection.cursor() as cursor:
        for day in expired:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}_{day:%Y%m%d}")
    return expired


def days() -> list[date]:
    """The days there are partitions of, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING_SQL, [TABLE])
        names = [_NAME.search(name) for (name,) in cursor.fetchall()]
    return sorted(datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date() for found in names if found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
