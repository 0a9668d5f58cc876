"""Quality of posts and replies by plain rules over what the heads say. No data is labelled for either.

The rules are deliberately dull: length, something said besides links and tags, a topic, and nothing
that another head objects to.
"""

import re
import textwrap
from collections.abc import Mapping

from moderation.grox.classifiers.schemas import BoolMetadata, QualityResult, ReplyResult
from moderation.grox.documents import Document
from moderation.grox.screening import Scores
from moderation.grox.text import prose

VERSION = "reading_rules_v2"
FULL_LENGTH = 25  # words from which more do not count
SHORT_REPLY, LONG_REPLY = 3, 12
SPAM, HOSTILE = 0.85, 0.7
MAX_DESCRIPTION = 200  # characters: a post is its own best summary
SLOP = (0.6, 0.85)  # spam scores from which a post reads as filler, as mass-produced

_TAG = re.compile(r"(?<!\w)#(\w+)")


def quality_of(document: Document, scores: Scores, topics: Mapping[int, float], flags: BoolMetadata) -> QualityResult:
    """Half for substance, a quarter for a topic, a quarter for variety; less as spam or offence grow."""
    words = prose(document.text).split()
    substance = min(1.0, len(words) / FULL_LENGTH)
    variety = len(set(words)) / len(words) if words else 0.0
    topical = min(1.0, 2 * max(topics.values(), default=0.0))
    spam, offence = scores.values["spam", "spam"], scores.values["offensive", "offensive"]
    quality = (0.5 * substance + 0.25 * topical + 0.25 * variety * substance) * (1 - spam) * (1 - 0.5 * offence)
    return QualityResult(
        quality_score=round(quality, 4),
        description=textwrap.shorten(document.raw_text, MAX_DESCRIPTION, placeholder=" …"),
        tags=tuple(dict.fromkeys(_TAG.findall(document.text))),
        topics=dict(topics),
        flags=flags,
        slop_score=1 + sum(spam >= s for s in SLOP),
    )


def reply_score(document: Document, scores: Scores) -> ReplyResult:
    """0 spam, 1 hostile or next to empty, 3 substantial, 2 all others."""
    num_words = len(prose(document.text).split())
    if scores.values["spam", "spam"] >= SPAM:
        return ReplyResult(score=0, reason="spam")
    if scores.values["toxicity", "toxic"] >= HOSTILE or num_words < SHORT_REPLY:
        return ReplyResult(score=1, reason="hostile" if num_words >= SHORT_REPLY else "next to empty")
    return ReplyResult(score=3 if num_words >= LONG_REPLY else 2, reason=f"{num_words} words")
