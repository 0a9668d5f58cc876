"""The kinds of negative signals, and how long each lasts."""

from __future__ import annotations

from enum import StrEnum

from feed.home_mixer.params import Params
from moderation.types import ReportReason


class Kind(StrEnum):
    """What a person can say no with."""

    BLOCK = "block"
    MUTE = "mute"
    REPORT = "report"
    NOT_INTERESTED = "not_interested"
    WORD = "word"


# A report of one of these goes to the moderators whatever anybody else does: it neither fades nor is
# it counted, and what they decide does not depend on how many people reported.
SEVERE = frozenset(
    {
        ReportReason.CHILD_SAFETY,
        ReportReason.VIOLENCE,
        ReportReason.SELF_HARM,
        ReportReason.ILLEGAL,
    }
)


def half_life_days(kind: Kind, params: Params) -> float | None:
    """Days until half of a signal's weight in what others see is gone; None for what only its owner sees."""
    return {
        Kind.BLOCK: params.block_half_life_d,
        Kind.MUTE: params.mute_half_life_d,
        Kind.REPORT: params.report_half_life_d,
        Kind.NOT_INTERESTED: params.not_interested_half_life_d,
    }.get(kind)
