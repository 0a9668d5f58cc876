"""Constants of serving. All ours: the published release stops at the ads that come back."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ServingParams:
    """Every number the ad server decides by. Micros are per impression unless said."""

    reserve_micros: int = 200  # an impression is never sold below a CPM of 0.20
    first_position: int = 1  # insert_position of the first ad ...
    position_gap: int = 5  # ... and the distance between ads, from which the blenders read the spacing
    min_pacing: float = 0.05  # a campaign far ahead of its plan still competes a little
    beyond_topics: float = 0.3  # worth of a viewer who follows none of the campaign's topics
    pacing_head_start: float = 1 / 24  # share of the day that may be spent at once

    # Beta priors (events, non-events): a new creative is assumed to behave like an ordinary one.
    click_prior: tuple[float, float] = (1.0, 99.0)
    hide_prior: tuple[float, float] = (0.5, 499.5)
    click_worth_micros: int = 20_000  # what a click is worth to the viewer's experience
    hide_cost_micros: int = 500_000  # what a hide costs it

    token_lifetime: timedelta = timedelta(hours=24)


SERVING = ServingParams()
