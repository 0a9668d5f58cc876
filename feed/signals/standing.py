"""Authors whom many turned away from: weighed by a task, read by the ranking."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from django.db import transaction

from accounts.models import User
from feed import weights
from feed.home_mixer.params import Params
from feed.models import AuthorStanding
from feed.signals.kinds import SEVERE, Kind, half_life_days
from feed.signals.voices import Objectors, decayed, factor, voices
from posts.types import EngagementKind
from xsocial.kernel import clock, sql

HALF_LIVES = 5  # older signals are worth less than a thirtieth and are not read
LEAST_PEOPLE = 2
FULLY = 0.999  # a factor above this is not worth keeping
REFRESH_S = 60.0

_SIGNALS = """
SELECT author, actor, kind, (extract(epoch FROM at) * 1000)::bigint FROM (
    SELECT blocked_id AS author, blocker_id AS actor, 'block' AS kind, created_at AS at FROM accounts_block
     WHERE created_at > %(block)s
    UNION ALL
    SELECT muted_id, muter_id, 'mute', created_at FROM accounts_mute
     WHERE created_at > %(mute)s AND (expires_at IS NULL OR expires_at > %(now)s)
    UNION ALL
    SELECT account_id, reporter_id, 'report', created_at FROM moderation_report
     WHERE created_at > %(report)s AND state <> 'dismissed' AND NOT reason = ANY(%(severe)s)
    UNION ALL
    SELECT author_id, user_id, 'not_interested', created_at FROM posts_engagement
     WHERE created_at > %(not_interested)s AND kind = %(kind)s
) signals WHERE author <> actor
"""
_TIES = """
SELECT f.follower_id, f.followee_id FROM accounts_follow f
  JOIN accounts_follow back ON back.follower_id = f.followee_id AND back.followee_id = f.follower_id
 WHERE f.follower_id = ANY(%(people)s::bigint[])
"""
_VIEWERS = """
SELECT author_id, count(DISTINCT user_id) FROM posts_impression
 WHERE author_id = ANY(%(authors)s::bigint[]) AND created_at > %(since)s GROUP BY author_id
"""
_WEIGHTS = {Kind.BLOCK: 1.0, Kind.REPORT: 1.0, Kind.MUTE: 0.5, Kind.NOT_INTERESTED: 0.25}


def weigh() -> int:
    """Weigh all signals anew and replace what the ranking reads; returns how many authors are affected."""
    params = weights.params_in_force()
    found = [row for row in _weighed(params) if row.factor < FULLY]
    with transaction.atomic():
        AuthorStanding.objects.all().delete()
        AuthorStanding.objects.bulk_create(found)
    forget()
    return len(found)


def _weighed(params: Params) -> Iterator[AuthorStanding]:
    now_ms = clock.now_ms()
    by_author = _signals(params, now_ms)
    everybody = sorted({actor for people in by_author.values() for actor in people})
    ties = _mutual_follows(everybody)
    met = _viewers(list(by_author), params)
    num_active = max(1, User.objects.filter(is_active=True).count())
    for author, people in by_author.items():
        crowd = _crowd(people, ties, num_active)
        heard, viewers = voices(crowd), met.get(author, 0)
        reach = factor(
            heard,
            viewers,
            prior=params.standing_prior,
            tolerance=params.standing_tolerance,
            half_rate=params.standing_half_rate,
            floor=params.standing_floor,
        )
        yield AuthorStanding(author_id=author, people=len(people), voices=heard, viewers=viewers, factor=reach)


def _signals(params: Params, now_ms: int) -> dict[int, dict[int, tuple[float, int]]]:
    """Author -> person -> (weight, when): of several noes of a person the weightiest counts."""
    places = {kind.value: clock.from_ms(now_ms - _longest_ms(kind, params)) for kind in _WEIGHTS}
    rows = sql.rows(
        _SIGNALS,
        places | {"now": clock.from_ms(now_ms), "severe": [*SEVERE], "kind": int(EngagementKind.NOT_INTERESTED)},
    )
    found: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
    for author, actor, kind, at_ms in rows:
        weight = _WEIGHTS[kind] * float(decayed(np.int64(now_ms - at_ms), half_life_days(Kind(kind), params)))
        if weight > found[author].get(actor, (0.0, 0))[0]:
            found[author][actor] = (weight, at_ms)
    return {author: people for author, people in found.items() if len(people) >= LEAST_PEOPLE}


def _longest_ms(kind: Kind, params: Params) -> int:
    return int(HALF_LIVES * half_life_days(kind, params) * 86_400_000)


def _mutual_follows(people: list[int]) -> dict[int, set[int]]:
    ties: dict[int, set[int]] = defaultdict(set)
    for person, other in sql.rows(_TIES, {"people": sql.bigints(people)}):
        ties[person].add(other)
    return ties


def _viewers(authors: list[int], params: Params) -> dict[int, int]:
    since = clock.from_ms(clock.now_ms() - _longest_ms(Kind.BLOCK, params))
    return dict(sql.rows(_VIEWERS, {"authors": sql.bigints(authors), "since": since}))


def _crowd(people: dict[int, tuple[float, int]], ties: dict[int, set[int]], num_active: int) -> Objectors:
    place = {person: n for n, person in enumerate(people)}
    pairs = [
        (place[person], place[other])
        for person in people
        for other in ties.get(person, ())
        if other in place and person < other
    ]
    return Objectors(
        weights=np.array([weight for weight, _ in people.values()]),
        at_ms=np.array([at_ms for _, at_ms in people.values()], np.int64),
        ties=np.array([len(ties.get(person, ())) for person in people], np.int64),
        pairs=np.array(pairs, np.int64).reshape(-1, 2),
        share=len(people) / num_active,
    )


# --- Read by the ranking ------------------------------------------------------------------------

_lock = threading.Lock()
_known: tuple[float, np.ndarray, np.ndarray] | None = None


def factors(authors: np.ndarray) -> np.ndarray:
    """What recommendations of these authors are multiplied by; 1 for most. Read once a minute a process."""
    known, values = _table()
    if not len(known):
        return np.ones(len(authors))
    place = np.minimum(np.searchsorted(known, authors), len(known) - 1)
    return np.where(known[place] == authors, values[place], 1.0)


def _table() -> tuple[np.ndarray, np.ndarray]:
    global _known
    with _lock:
        if _known is None or time.monotonic() - _known[0] > REFRESH_S:
            rows = list(AuthorStanding.objects.order_by("author_id").values_list("author_id", "factor"))
            ids, values = zip(*rows, strict=True) if rows else ((), ())
            _known = (time.monotonic(), np.array(ids, np.int64), np.array(values, np.float64))
        return _known[1:]


def forget() -> None:
    """Read the table again at the next use."""
    global _known
    with _lock:
        _known = None
