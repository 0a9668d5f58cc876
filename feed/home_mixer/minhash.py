"""MinHash of the people one follows and is followed by: likeness of two circles in two kilobytes.

Value i of a signature is the smallest of (a_i x + b_i) mod (2^61 - 1) over the set; the share of
equal values estimates the Jaccard index, with a standard error of 1/sqrt(256) at most.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db import connection

from feed.models import MutualFollowSignature

HASHES = 256
PRIME = (1 << 61) - 1
_LOW = np.uint64((1 << 32) - 1)

MUTUAL_SQL = """
SELECT f.follower_id, f.followee_id FROM accounts_follow f
  JOIN accounts_follow b ON b.follower_id = f.followee_id AND b.followee_id = f.follower_id
 ORDER BY f.follower_id
"""
STORE_SQL = """
INSERT INTO feed_mutualfollowsignature (user_id, signature, updated_at)
SELECT u.user_id, u.signature, now() FROM unnest(%s::bigint[], %s::bytea[]) AS u(user_id, signature)
  JOIN accounts_user a ON a.id = u.user_id
    ON CONFLICT (user_id) DO UPDATE SET signature = excluded.signature, updated_at = excluded.updated_at
"""
BATCH = 2_000


def _coefficients() -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(20_260_515)
    return draws.integers(1, 1 << 61, HASHES, np.uint64), draws.integers(0, 1 << 61, HASHES, np.uint64)


_A, _B = _coefficients()


def signature(members: np.ndarray) -> np.ndarray:
    """256 int64 for a set of ids that is not empty."""
    hashed = _mixed(np.unique(np.asarray(members, np.int64)).astype(np.uint64))
    smallest = np.full(HASHES, np.iinfo(np.int64).max, np.int64)
    for start in range(0, len(hashed), BATCH):
        part = hashed[start : start + BATCH]
        values = (_product(part[:, None], _A[None]) + _B[None]) % np.uint64(PRIME)
        smallest = np.minimum(smallest, values.min(axis=0).astype(np.int64))
    return smallest


def similarity(mine: np.ndarray, theirs: np.ndarray) -> float:
    """Share of equal positions over the shorter signature."""
    length = min(len(mine), len(theirs))
    return float(np.mean(mine[:length] == theirs[:length])) if length else 0.0


def load(user_ids: Iterable[int]) -> dict[int, np.ndarray]:
    """Stored signatures by person; those without one are left out. One query."""
    rows = MutualFollowSignature.objects.filter(user_id__in=list(user_ids))
    return {user_id: np.frombuffer(raw, "<i8") for user_id, raw in rows.values_list("user_id", "signature")}


def rebuild() -> int:
    """Sign everybody's mutual follows anew; returns how many have any. One pass over the edges."""
    with connection.cursor() as cursor:
        cursor.execute(MUTUAL_SQL)
        edges = np.array(cursor.fetchall(), np.int64).reshape(-1, 2)
    users, starts = np.unique(edges[:, 0], return_index=True)
    members = np.split(edges[:, 1], starts[1:]) if len(users) else []
    for first in range(0, len(users), BATCH):
        signed = [signature(circle).astype("<i8").tobytes() for circle in members[first : first + BATCH]]
        with connection.cursor() as cursor:
            cursor.execute(STORE_SQL, [users[first : first + BATCH].tolist(), signed])
    MutualFollowSignature.objects.exclude(user_id__in=users.tolist()).delete()
    return len(users)


def _mixed(ids: np.ndarray) -> np.ndarray:
    """Ids below the prime, spread: snowflakes of one moment differ in few bits."""
    with np.errstate(over="ignore"):
        z = ids * np.uint64(0x9E3779B97F4A7C15)
        z ^= z >> np.uint64(32)
        z = z * np.uint64(0xD6E8FEB86659FD93)
    return (z ^ (z >> np.uint64(32))) & np.uint64(PRIME)


def _product(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    """x * a modulo 2^61 - 1 without 128-bit integers: in halves of 32 bits, folding by 2^61 = 1."""
    high, low = x >> np.uint64(32), x & _LOW
    a_high, a_low = a >> np.uint64(32), a & _LOW
    middle = _reduced(high * a_low) + _reduced(low * a_high)  # times 2^32
    middle = _reduced(middle)
    # middle * 2^32: its top 32 bits move beyond 2^61 and fold back
    shifted = ((middle & np.uint64((1 << 29) - 1)) << np.uint64(32)) + (middle >> np.uint64(29))
    top = _reduced((high * a_high) << np.uint64(3))  # 2^64 = 8
    return _reduced(_reduced(low * a_low) + shifted + top)


def _reduced(values: np.ndarray) -> np.ndarray:
    folded = (values & np.uint64(PRIME)) + (values >> np.uint64(61))
    return np.where(folded >= np.uint64(PRIME), folded - np.uint64(PRIME), folded)
