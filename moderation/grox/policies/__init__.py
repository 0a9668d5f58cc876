"""The policy in words and numbers: categories, policy types, signals and thresholds, as data.

No embedded model covers child safety, extremism or civic integrity here: those categories exist for reports
and for moderators, and for a language-model back end; the embedded models stay silent on them.
"""

import re
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

NO_VIOLATION = "NoViolation"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signal(_Data):
    """Evidence from classifiers: the least of the named (head, class) probabilities.

    At `review` a person should look; at `enforce` the label goes on at once. An empty `policy` is
    resolved by the category's patterns.
    """

    policy: str
    review: float = Field(ge=0, le=1)
    enforce: float = Field(ge=0, le=1)
    all_of: tuple[tuple[str, str], ...] = Field(min_length=1)
    needs_media: bool = False
    needs_target: bool = False


class Category(_Data):
    """One policy category with its types."""

    name: str
    definition: str
    policies: dict[str, str]
    default_policy: str
    patterns: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, float, str], ...] = ()
    signals: tuple[Signal, ...] = ()

    @cached_property
    def _compiled(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(policy, re.compile(pattern)) for policy, pattern in self.patterns]

    @cached_property
    def _compiled_rules(self) -> list[tuple[str, float, re.Pattern[str]]]:
        return [(policy, score, re.compile(pattern)) for policy, score, pattern in self.rules]

    def policy_of(self, text: str) -> str:
        """The policy type that normalised `text` fits best, given that it violates the category."""
        return next((policy for policy, pattern in self._compiled if pattern.search(text)), self.default_policy)

    def rule_hit(self, text: str) -> tuple[str, float] | None:
        """The policy type and score of the first plain rule that matches."""
        return next(((policy, score) for policy, score, rule in self._compiled_rules if rule.search(text)), None)


class PolicyBook(_Data):
    """All categories under one version."""

    version: str
    categories: tuple[Category, ...]

    @property
    def heads(self) -> set[str]:
        """The classifier heads that the signals read."""
        return {head for c in self.categories for s in c.signals for head, _ in s.all_of}


@lru_cache(maxsize=1)
def policy_book() -> PolicyBook:
    """Read the policies, once per process."""
    return PolicyBook.model_validate_json((Path(__file__).parent / "policies.json").read_text())
