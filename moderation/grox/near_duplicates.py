"""The same words from many accounts: simhash of each text, remembered for a sliding window in Valkey.

A simhash is 64 bits, each the sign of the summed hashes of the text's word triples: texts that differ
in a few words differ in a few bits. Hashes that differ in at most three bits agree in at least one of
four parts of 16 bits, so each part is a key under which like texts find one another.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from moderation.grox.text import normalise, prose
from xsocial.kernel import clock, redis

VERSION = "simhash_v1"
BITS, BANDS = 64, 4
BAND_BITS = BITS // BANDS
MAX_DISTANCE = 3
MIN_WORDS = 6  # shorter texts are alike by chance: thanks, good morning
SHINGLE = 3
WINDOW_MS = 60 * 60 * 1000
REMEMBERED = 500  # texts under one key
BURST_ACCOUNTS = 4  # different accounts within the window make a campaign


@dataclass(frozen=True)
class Likeness:
    """How many other accounts said nearly the same lately, and in how many posts."""

    num_accounts: int = 0
    num_posts: int = 0

    @property
    def is_campaign(self) -> bool:
        """Enough accounts, the asking one among them, to be no coincidence."""
        return self.num_accounts + 1 >= BURST_ACCOUNTS


def simhash(text: str) -> int | None:
    """The 64-bit simhash of normalised text; None for texts too short to tell."""
    words = prose(text).split()
    if len(words) < MIN_WORDS:
        return None
    shingles = {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}
    digests = b"".join(hashlib.blake2b(each.encode(), digest_size=8).digest() for each in shingles)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 8), axis=1)
    return int.from_bytes(np.packbits(2 * bits.sum(axis=0, dtype=np.int64) > len(shingles)).tobytes(), "big")


def distance(one: int, other: int) -> int:
    """In how many bits two hashes differ."""
    return (one ^ other).bit_count()


def first_alike(texts: Mapping[int, str]) -> dict[int, int]:
    """Of each text, by its id, the first of them that says nearly the same: often itself. Short ones must be equal."""
    first: dict[int, int] = {}
    seen: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for key, text in texts.items():
        value = _simhash_of(text)
        shelves = [prose(normalise(text))] if value is None else _keys(value)
        bits = value or 0
        alike = (other for shelf in shelves for other, theirs in seen[shelf] if distance(bits, theirs) <= MAX_DISTANCE)
        first[key] = first.get(next(alike, key), key)
        for shelf in shelves:
            seen[shelf].append((key, bits))
    return first


@lru_cache(maxsize=10_000)
def _simhash_of(text: str) -> int | None:
    """Of a text as it was written."""
    return simhash(normalise(text))


def _keys(value: int) -> list[str]:
    mask = (1 << BAND_BITS) - 1
    return [f"grox:near:{band}:{(value >> (band * BAND_BITS)) & mask:04x}" for band in range(BANDS)]


def observe(post_id: int, author_id: int, text: str) -> Likeness:
    """Remember a text and say who else said nearly the same within the window. Repeating a call adds nothing.

    Without Valkey nobody did: a campaign may go unseen, and nothing is held up.
    """
    value = simhash(text)
    if value is None:
        return Likeness()
    now = clock.now_ms()
    try:
        found = _remember(_keys(value), f"{post_id}:{author_id}:{value:016x}", now)
    except redis.RedisError:
        return Likeness()
    others = {
        (post, author)
        for post, author, other in found
        if author != author_id and distance(value, other) <= MAX_DISTANCE
    }
    return Likeness(len({author for _, author in others}), len(others))


def _remember(keys: Sequence[str], member: str, now: int) -> set[tuple[int, int, int]]:
    """Add `member` under all keys; return (post, author, hash) of what they hold."""
    pipe = redis.client("cache").pipeline(transaction=False)
    for key in keys:
        pipe.zremrangebyscore(key, 0, now - WINDOW_MS)
        pipe.zadd(key, {member: now}, nx=True)
        pipe.zremrangebyrank(key, 0, -REMEMBERED - 1)
        pipe.pexpire(key, WINDOW_MS)
        pipe.zrange(key, 0, -1)
    answers = pipe.execute()[4::5]
    members = {row.decode() for rows in answers for row in rows}
    parts = (row.split(":") for row in members)
    return {(int(post), int(author), int(value, 16)) for post, author, value in parts}
