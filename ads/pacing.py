"""How eagerly a campaign bids, given how its spending compares with its plan for the day."""

from datetime import datetime, timedelta

from ads.types import Pacing

DAY = timedelta(days=1)


def elapsed_share(now: datetime, *, starts_at: datetime, ends_at: datetime | None) -> float:
    """Share of the campaign's hours of this UTC day that has passed, in [0, 1]."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    opens = max(midnight, starts_at)
    closes = min(midnight + DAY, ends_at) if ends_at else midnight + DAY
    if closes <= opens:
        return 1.0
    return min(max((now - opens) / (closes - opens), 0.0), 1.0)


def pacing_multiplier(
    *, pacing: Pacing, spent_micros: int, budget_micros: int, share: float, head_start: float, minimum: float
) -> float:
    """Factor on the bid: 1 while spending is on plan, planned/spent when it is ahead."""
    if pacing == Pacing.ASAP or spent_micros <= 0:
        return 1.0
    planned = budget_micros * max(share, head_start)
    return min(max(planned / spent_micros, minimum), 1.0)
