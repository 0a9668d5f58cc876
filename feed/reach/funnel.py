"""An author's funnel over some days, with every figure hidden that fewer than twenty people stand behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from accounts.models import User
from feed.models import AuthorReach
from feed.reach.count import STEPS
from feed.receipts import rules
from xsocial.kernel import clock

K = 20
DAYS = 7
LABELS = {
    "eligible": "Could have been shown",
    "retrieved": "Found for a page",
    "passed": "Passed the rules",
    "ranked": "Among the best",
    "served": "On the page",
    "seen": "Seen",
    "acted": "Acted on",
}
Cell = int | None  # None: fewer than K people


@dataclass(frozen=True, slots=True)
class Step:
    """One step before each audience, and before both where both may be known."""

    name: str
    label: str
    followers: Cell
    others: Cell

    @property
    def total(self) -> Cell:
        """The sum, unless it would give a hidden part away."""
        return None if self.followers is None or self.others is None else self.followers + self.others


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One rule that left posts out. ``words`` are empty for those too small to be named."""

    words: str
    followers: Cell
    others: Cell


@dataclass(frozen=True, slots=True)
class Funnel:
    """Both audiences over the days counted; no steps where nothing was counted."""

    since: date
    steps: tuple[Step, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def has_figures(self) -> bool:
        """Whether anything may be shown at all."""
        return any(step.followers is not None or step.others is not None for step in self.steps)


def of_author(author: User, *, days: int = DAYS) -> Funnel:
    """The funnel of an author's own posts. One query."""
    since = clock.now().astimezone(UTC).date() - timedelta(days=days - 1)
    found = list(AuthorReach.objects.filter(author=author, day__gte=since))
    audiences = {flag: [row for row in found if row.by_followers == flag] for flag in (True, False)}
    counts = {flag: _shown(_summed(row.counts for row in rows)) for flag, rows in audiences.items()}
    # Found less what was left out is what was on the page: where that is hidden, so is the ledger.
    ledger = {
        flag: _hidden_in_company(_summed(row.left_out for row in rows)) if "served" in counts[flag] else {}
        for flag, rows in audiences.items()
    }
    steps = [Step(name, LABELS[name], counts[True].get(name), counts[False].get(name)) for name in STEPS]
    named = sorted({rule for part in ledger.values() for rule in part if rule})
    lines = [LeftOut(rules.of(rule).words, ledger[True].get(rule), ledger[False].get(rule)) for rule in named]
    if any("" in part for part in ledger.values()):
        rest = {flag: part.get("", 0 if "served" in counts[flag] else None) for flag, part in ledger.items()}
        lines.append(LeftOut("", rest[True], rest[False]))
    return Funnel(since, tuple(steps) if found else (), tuple(lines))


def _summed(parts: Iterable[Mapping[str, list[int]]]) -> dict[str, tuple[int, int]]:
    """Counts added over days; people at least as many as on the fullest day."""
    counts: dict[str, int] = defaultdict(int)
    people: dict[str, int] = defaultdict(int)
    for part in parts:
        for name, (count, persons) in part.items():
            counts[name] += count
            people[name] = max(people[name], persons)
    return {name: (counts[name], people[name]) for name in counts}


def _shown(figures: Mapping[str, tuple[int, int]]) -> dict[str, Cell]:
    return {name: count for name, (count, people) in figures.items() if people >= K}


def _hidden_in_company(figures: Mapping[str, tuple[int, int]]) -> dict[str, Cell]:
    """Rules by name; the small ones summed under "", with larger ones until K people stand behind the sum.

    What is hidden can be found as found - on the page - shown, so the hidden sum must be safe as well.
    """
    small = [name for name, (_, people) in figures.items() if people < K]
    large = sorted((name for name in figures if name not in small), key=lambda name: figures[name][1])
    # The same people may stand behind several rules, hence the largest number and not the sum.
    while small and large and (len(small) == 1 or max(figures[name][1] for name in small) < K):
        small.append(large.pop(0))
    shown: dict[str, Cell] = {name: figures[name][0] for name in large}
    if small:
        people = max(figures[name][1] for name in small)
        shown[""] = sum(figures[name][0] for name in small) if people >= K and len(small) > 1 else None
    return shown
