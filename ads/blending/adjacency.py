"""May this ad stand between these two posts? Checked in the order risk, handle, keyword.

Only the posts' own author and text are looked at: the author of a reposted or quoted post is not.
"""

from enum import Enum, auto

from ads.blending.tokenizer import contains_run, tokenize
from ads.blending.types import AdjacencyControl, BlendablePost, Verdict

Tokens = list[str]


class Refusal(Enum):
    """Which control kept an ad away."""

    RISK = auto()
    HANDLE = auto()
    KEYWORD = auto()


class AdjacencyCheck:
    """The checks of one blend. Post texts and keywords are tokenised once, however often they meet."""

    def __init__(self) -> None:
        self._tokens: dict[str, Tokens] = {}

    def refusal(self, control: AdjacencyControl | None, above: BlendablePost, below: BlendablePost) -> Refusal | None:
        """The first control that refuses the pair, or None."""
        if control is None:
            return None
        pair = (above, below)
        if control.is_strict and any(post.verdict == Verdict.LOW_RISK for post in pair):
            return Refusal.RISK
        if any(post.author_id in control.handles for post in pair):
            return Refusal.HANDLE
        return Refusal.KEYWORD if self._has_keyword(control, pair) else None

    def _has_keyword(self, control: AdjacencyControl, pair: tuple[BlendablePost, BlendablePost]) -> bool:
        needles = [self._tokenize(keyword) for keyword in control.keywords]
        return any(contains_run(self._tokenize(post.text), needle) for needle in needles for post in pair)

    def _tokenize(self, text: str) -> Tokens:
        if text not in self._tokens:
            self._tokens[text] = tokenize(text)
        return self._tokens[text]
