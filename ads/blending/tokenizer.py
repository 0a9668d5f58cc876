"""Words of a text, for keyword rules.

One tokeniser serves advertisers' adjacency keywords and people's muted keywords, so that a word means
the same in both. Upstream uses an unpublished library; the rules here are ours:

1. normalise: NFKC, casefold, drop the zero-width joiner and the two variation selectors;
2. a link up to white space is one token; a Chinese or Japanese character is one token; a run of letters,
   digits, combining marks and `_` is one token; a symbol such as an emoji is one token;
3. everything else (space, punctuation, `#`, `@`, `$`, apostrophe) separates.

So "plane crash" is in "#Plane crash!" but not in "plane did crash", and "plane" is not in "airplane".
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain

_DROPPED = re.compile("[\u200d\ufe0e\ufe0f]")
_LINK = r"https?://\S*"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_ASTRAL = "\U00010000-\U0010ffff"
# No character outside these blocks can be part of a token: nothing is assigned, or for private use only.
_ASSIGNED = (range(0x32400), range(0xE0000, 0xE0200))
_ASCII_TOKEN = re.compile(rf"{_LINK}|[a-z0-9_]+")


def tokenize(text: str) -> list[str]:
    """Tokens of `text`, in order."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return _token().findall(_DROPPED.sub("", unicodedata.normalize("NFKC", text).casefold()))


def contains_run(tokens: Sequence[str], needle: Sequence[str]) -> bool:
    """Whether `needle` occurs in `tokens` as a contiguous run. An empty needle never does."""
    if not needle:
        return False
    width, first, wanted = len(needle), needle[0], list(needle)
    return any(token == first and list(tokens[start : start + width]) == wanted for start, token in enumerate(tokens))


@cache
def _token() -> re.Pattern[str]:
    r"""The rules as one expression; made once, because Python's `re` knows no categories.

    `\w` stands for letters, digits and `_`; combining marks and symbols must be listed.
    """
    word = rf"[^\W{_CJK}]+|{_one_of('M')}"
    return re.compile(rf"{_LINK}|(?:{word})+|[{_CJK}]|{_one_of('So')}")


def _one_of(category: str) -> str:
    """One character whose general category begins so, as an expression.

    Characters beyond 16 bits stand apart: a class of only 16-bit ones is a table, not a list of ranges.
    """
    points = [point for point in chain(*_ASSIGNED) if unicodedata.category(chr(point)).startswith(category)]
    basic = _class(point for point in points if point < 0x10000)
    return f"{basic}|(?=[{_ASTRAL}]){_class(point for point in points if point >= 0x10000)}"


def _class(points: Iterable[int]) -> str:
    """Rising code points as a character class of ranges."""
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]"
