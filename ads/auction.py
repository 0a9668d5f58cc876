"""The auction: generalised second price over value per impression plus a user-experience term.

With bid b per billed event, rate p of that event per impression, pacing multiplier l and experience u:

    value v = l * b * p        score s = v + u        price of rank k = (s[k+1] - u[k]) / p[k]

The price is what the bid would have had to be to keep the rank, at least the reserve and at most the
paced bid. With one place and no pacing this is Vickrey's auction. Pure arithmetic in micros.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Bid(Generic[Entry]):
    """One entry. `micros` is the bid per billed event, `rate` (0, 1] its probability per impression.

    Entries of one `group` compete among themselves first: only the best goes on. `order` breaks ties.
    """

    entry: Entry
    group: int
    order: int
    micros: float
    rate: float
    pacing: float = 1.0
    experience: float = 0.0

    @property
    def value(self) -> float:
        """Micros per impression the advertiser offers, pacing applied."""
        return self.pacing * self.micros * self.rate

    @property
    def score(self) -> float:
        return self.value + self.experience


@dataclass(frozen=True, slots=True)
class Win(Generic[Entry]):
    """A place won. `price_micros` is due per billed event."""

    entry: Entry
    price_micros: int
    score: float


def run(bids: Iterable[Bid[Entry]], *, places: int, reserve_micros: float) -> list[Win[Entry]]:
    """The winners, best first, at most `places`. Offers below the reserve do not take part."""
    ranked = _best_of_each_group([bid for bid in bids if bid.value >= reserve_micros])
    return [
        Win(bid.entry, _price(bid, ranked[rank + 1 : rank + 2], reserve_micros), bid.score)
        for rank, bid in enumerate(ranked[:places])
    ]


def smoothed_rate(*, events: int, trials: int, prior: tuple[float, float]) -> float:
    """Mean of the Beta posterior: the observed rate, pulled to the prior while trials are few."""
    alpha, beta = prior
    return (events + alpha) / (trials + alpha + beta)


def _best_of_each_group(bids: Sequence[Bid[Entry]]) -> list[Bid[Entry]]:
    ranked = sorted(bids, key=lambda bid: (-bid.score, bid.order))
    best: dict[int, Bid[Entry]] = {}
    for bid in ranked:
        best.setdefault(bid.group, bid)
    return list(best.values())


def _price(bid: Bid[Entry], runner_up: Sequence[Bid[Entry]], reserve_micros: float) -> int:
    """Whole micros per billed event, rounded up, never above the paced bid."""
    due = max([reserve_micros, *(other.score - bid.experience for other in runner_up)])
    return min(math.ceil(due / bid.rate), math.floor(bid.pacing * bid.micros))
