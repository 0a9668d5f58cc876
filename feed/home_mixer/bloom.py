"""Impression filters: which posts a viewer has seen, in a few kilobytes, never a false "unseen".

Bit i of an id is (h1 + i * h2) mod m, with h1 and h2 the halves of blake2b(id). Each filter holds
``CAPACITY`` ids at ``RATE`` false positives; a full one is followed by a new one, four are kept.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xsocial.kernel import redis

CAPACITY, RATE, KEPT, TTL_S = 10_000, 0.01, 4, 14 * 86_400


@dataclass(frozen=True, slots=True)
class Shape:
    """Bits and hashes for a capacity and a rate of false positives."""

    bits: int
    hashes: int

    @property
    def words(self) -> int:
        """64-bit words the bits take."""
        return -(-self.bits // 64)


def shape(capacity: int = CAPACITY, rate: float = RATE) -> Shape:
    """The optimal size: m = -n ln p / (ln 2)^2, k = m/n ln 2."""
    bits = math.ceil(-capacity * math.log(rate) / math.log(2) ** 2)
    return Shape(bits, round(bits / capacity * math.log(2)))


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: its bits, one byte each, and its shape."""

    bits: np.ndarray
    shape: Shape

    def contains(self, ids: np.ndarray) -> np.ndarray:
        """Which ids may have been added; 0 never has."""
        unique, inverse = np.unique(ids, return_inverse=True)
        hits = self.bits[positions(unique, self.shape)].all(axis=1) & (unique != 0)
        return hits[inverse]


@dataclass(frozen=True, slots=True)
class Answered:
    """What filters said about the posts of one load, in place of the filters: those that may have been seen."""

    ids: np.ndarray

    def contains(self, ids: np.ndarray) -> np.ndarray:
        """The same answers again."""
        return np.isin(ids, self.ids)


def positions(ids: np.ndarray, size: Shape) -> np.ndarray:
    """Bit numbers of each id, one row per id."""
    digests = b"".join(
        hashlib.blake2b(int(i).to_bytes(8, "big", signed=True), digest_size=16).digest() for i in ids.tolist()
    )
    halves = np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    steps = np.arange(size.hashes, dtype=np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        return ((halves[:, :1] + steps * halves[:, 1:]) % np.uint64(size.bits)).astype(np.int64)


def load(user_id: int) -> list[Filter]:
    """The viewer's filters. Raises RedisError."""
    stored = redis.client("cache").mget([_key(user_id, slot) for slot in range(KEPT)])
    size = shape()
    return [Filter(_bits(raw, size), size) for raw in stored if raw]


def add(user_id: int, post_ids: Iterable[int]) -> None:
    """Note that these posts were seen. Raises RedisError."""
    ids = np.array(sorted(set(post_ids)), np.int64)
    if not len(ids):
        return
    client = redis.client("cache")
    slot = _slot_for(client, user_id, len(ids))
    with client.pipeline(transaction=False) as pipe:
        for bit in np.unique(positions(ids, shape())).tolist():
            pipe.setbit(_key(user_id, slot), bit, 1)
        pipe.expire(_key(user_id, slot), TTL_S).expire(_meta(user_id), TTL_S).execute()


def _slot_for(client: Any, user_id: int, count: int) -> int:
    """The current slot, or the next one, emptied, when the current is full."""
    meta = client.hgetall(_meta(user_id))
    slot, held = int(meta.get(b"slot", 0)), int(meta.get(b"held", 0))
    if held and held + count > CAPACITY:
        slot, held = (slot + 1) % KEPT, 0
        client.delete(_key(user_id, slot))
    client.hset(_meta(user_id), mapping={"slot": slot, "held": held + count})
    return slot


def _bits(raw: bytes, size: Shape) -> np.ndarray:
    bits = np.unpackbits(np.frombuffer(raw, np.uint8)).astype(bool)
    return np.concatenate([bits, np.zeros(max(0, size.bits - len(bits)), bool)])


def _key(user_id: int, slot: int) -> str:
    return f"feed:bloom:{user_id}:{slot}"


def _meta(user_id: int) -> str:
    return f"feed:bloom:{user_id}"
