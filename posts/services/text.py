"""Reading what people write: length, mentions and hashtags. Pure functions of the text."""

import re
import unicodedata

from posts.types import POST_MAX_LENGTH
from xsocial.kernel.errors import Invalid

#: A link counts as this many characters, however long it is.
LINK_LENGTH = 23
SPOILER_MAX_LENGTH = 200
MAX_MENTIONS = 30
MAX_TAGS = 30
# Stacked accents do not count towards the length, so the raw text has a bound of its own.
RAW_MAX_LENGTH = 8 * POST_MAX_LENGTH

_LINK = re.compile(r"https?://\S+")
_MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9_]{1,30})(?![\w@])")
_TAG = re.compile(r"(?<![\w&/])#(\w{1,100})(?!\w)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_JOINER = "\u200d"
_ZERO_WIDTH = {"Mn", "Me", "Mc", "Cf"}


def length(text: str) -> int:
    """How many characters a reader sees: accents, joiners and joined emoji add nothing."""
    shown = _LINK.sub("x" * LINK_LENGTH, text)
    pairs = zip(" " + shown, shown, strict=False)
    return sum(unicodedata.category(char) not in _ZERO_WIDTH and before != _JOINER for before, char in pairs)


def check_text(text: str, *, may_be_empty: bool) -> None:
    """Raise Invalid for an empty or overlong text."""
    if not text and not may_be_empty:
        raise Invalid("Write something, or add a picture.", extra={"field": "text"})
    if len(text) > RAW_MAX_LENGTH or length(text) > POST_MAX_LENGTH:
        raise Invalid(f"A post has at most {POST_MAX_LENGTH} characters.", extra={"field": "text"})


def check_spoiler(text: str) -> None:
    if len(text) > SPOILER_MAX_LENGTH:
        raise Invalid(
            f"A content warning has at most {SPOILER_MAX_LENGTH} characters.", extra={"field": "spoiler_text"}
        )


def check_language(code: str) -> None:
    if code and not _LANGUAGE.fullmatch(code):
        raise Invalid("The language is a code such as “en” or “pt-BR”.", extra={"field": "language"})


def mentioned_names(text: str) -> list[str]:
    """Handles named in the text, upper case, each once. Raises Invalid for too many."""
    names = list(dict.fromkeys(name.upper() for name in _MENTION.findall(text)))
    if len(names) > MAX_MENTIONS:
        raise Invalid(f"A post names at most {MAX_MENTIONS} people.", extra={"field": "text"})
    return names


def hashtags(text: str) -> list[str]:
    """Tags of the text, casefolded, each once; a number alone is not a tag."""
    found = (tag.casefold() for tag in _TAG.findall(text) if not tag.replace("_", "").isdigit())
    return list(dict.fromkeys(tag[:100] for tag in found))[:MAX_TAGS]
