"""Drops posts whose own text contains a muted word or phrase."""

from collections.abc import Iterable

import numpy as np

from ads.blending.tokenizer import contains_run, tokenize
from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.query import ScoredPostsQuery


class MutedKeywordFilter(Filter):
    """A keyword matches as a run of whole tokens: "art" does not match "party".

    Following is stricter than For You: there what a post answers and quotes is read too.
    """

    reads = ("text", "related_texts")

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows; texts are tokenised only when something is muted."""
        phrases = phrases_of(query.muted_keywords)
        if not phrases:
            return np.ones(batch.n, dtype=bool)
        hidden = [matches(text, phrases) for text in batch["text"]]
        if query.mutes_strictly:
            pairs = zip(hidden, batch["related_texts"], strict=True)
            hidden = [own or any(matches(text, phrases) for text in texts or ()) for own, texts in pairs]
        return ~np.array(hidden, dtype=bool)


def phrases_of(keywords: Iterable[str]) -> list[list[str]]:
    """Muted words and phrases as runs of tokens; what has no token mutes nothing."""
    return [tokens for keyword in keywords if (tokens := tokenize(keyword))]


def matches(text: str | None, phrases: list[list[str]]) -> bool:
    """Whether a text contains one of the phrases."""
    tokens = tokenize(text or "")
    return any(contains_run(tokens, phrase) for phrase in phrases)
