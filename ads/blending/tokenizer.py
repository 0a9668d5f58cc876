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
from collections.abc import Sequence
from functools import lru_cache

_DROPPED = str.maketrans("", "", "\u200d\ufe0e\ufe0f")
_LINK = re.compile(r"https?://\S*")
_ASCII_TOKEN = re.compile(r"https?://\S*|[a-z0-9_]+")
_CJK = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F))

_SEPARATOR, _SINGLE, _WORD = range(3)


def tokenize(text: str) -> list[str]:
    """Tokens of `text`, in order."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return _tokenize_unicode(unicodedata.normalize("NFKC", text).casefold().translate(_DROPPED))


def contains_run(tokens: Sequence[str], needle: Sequence[str]) -> bool:
    """Whether `needle` occurs in `tokens` as a contiguous run. An empty needle never does."""
    if not needle:
        return False
    width, first, wanted = len(needle), needle[0], list(needle)
    return any(token == first and list(tokens[start : start + width]) == wanted for start, token in enumerate(tokens))


def _tokenize_unicode(text: str) -> list[str]:
    """The rules read literally, for a text that is normalised already."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        end = _token_end(text, position)
        if end > position:
            tokens.append(text[position:end])
        position = max(end, position + 1)
    return tokens


def _token_end(text: str, start: int) -> int:
    """End of the token that begins at `start`; `start` itself if a separator stands there."""
    link = _LINK.match(text, start)
    if link:
        return link.end()
    kind = _kind(text[start])
    if kind != _WORD:
        return start + kind
    end = start + 1
    while end < len(text) and _kind(text[end]) == _WORD:
        end += 1
    return end


@lru_cache(maxsize=4096)
def _kind(character: str) -> int:
    point = ord(character)
    if any(low <= point <= high for low, high in _CJK):
        return _SINGLE
    category = unicodedata.category(character)
    if category[0] in "LNM" or character == "_":
        return _WORD
    return _SINGLE if category == "So" else _SEPARATOR
