"""What a text looks like, whatever it says: lengths, numbers, prices, links. Spam shows there first."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_DIGITS = re.compile(r"\d+")
_MONEY = re.compile(r"[£$€]")
_PRICE = re.compile(r"\b\d+p\b|\bgbp\b|/(?:msg|min|wk|sms)|\bper ?(?:msg|min|text)\b")
LONG_NUMBER = 5  # digits: short codes and telephone numbers

NAMES = (
    "length", "digits", "longest_number", "has_long_number", "has_money", "has_price", "exclamations", "links",
    "mentions", "tags",
)  # fmt: skip


def surface(texts: Sequence[str]) -> NDArray[np.float32]:
    """The features [N, 10] of normalised texts, each between 0 and 1."""
    return np.array([_of(text) for text in texts], dtype=np.float32).reshape(len(texts), len(NAMES))


def _of(text: str) -> tuple[float, ...]:
    numbers = [len(number) for number in _DIGITS.findall(text)]
    longest = max(numbers, default=0)
    return (
        min(1.0, len(text) / 200),
        min(1.0, sum(numbers) / 20),
        min(1.0, longest / 11),
        float(longest >= LONG_NUMBER),
        float(bool(_MONEY.search(text))),
        float(bool(_PRICE.search(text))),
        min(1.0, text.count("!") / 3),
        min(1.0, text.count("http") / 2),
        min(1.0, text.count("@user") / 3),
        min(1.0, text.count("#") / 5),
    )
