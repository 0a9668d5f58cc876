"""A viewer's own tuning: kept, taken back, written to a file and read from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from accounts.models import User
from feed import weights
from feed.home_mixer.tuning import GROUPS, Tuning, effective, problem
from feed.models import FeedTuning
from feed.receipts.words import VERBS
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotAllowed

FORMAT = "xsocial feed tuning 1"
MAX_FILE = 10_000  # bytes; ours have some hundred


@dataclass(frozen=True, slots=True)
class Preset:
    """A tuning to start from."""

    label: str
    tuning: Tuning


PRESETS: Mapping[str, Preset] = {
    "site": Preset("As the site has it", Tuning()),
    "conversation": Preset(
        "More conversation", Tuning({"conversations": 3.0, "passing_on": 0.5, "likes": 0.5, "watching": 0.5})
    ),
    "followed": Preset("More from people I follow", Tuning({"strangers": 0.25})),
    "watching": Preset(
        "More to watch", Tuning({"conversations": 0.25, "passing_on": 0.5, "likes": 0.5, "watching": 3.0})
    ),
    "kinder": Preset("Kinder", Tuning({"conversations": 0.5, "passing_on": 0.5, "objections": 3.0})),
}


@dataclass(frozen=True, slots=True)
class Weighing:
    """What one predicted action counts for: on this site, and as tuned."""

    head: str
    label: str
    site: float
    own: float


def is_on() -> bool:
    """Whether the operators let people tune."""
    return weights.params_in_force().enable_tuning


def of(user: User) -> Tuning:
    """The person's tuning, whether it counts at the moment or not."""
    return weights.live(user.pk).weights.tuning


def checked(multipliers: Any) -> Tuning:
    """A tuning from what somebody sent; groups left out count as the site has them. Raises Invalid, by group."""
    if not isinstance(multipliers, Mapping):
        raise Invalid("A tuning is an object of groups and multipliers.")
    complaints = {str(name): words for name, value in multipliers.items() if (words := problem(name, value))}
    if complaints:
        raise Invalid(" ".join(complaints.values()), extra=complaints)
    return Tuning.of(multipliers)


def save(user: User, multipliers: Any) -> Tuning:
    """Weigh this person's pages so from the next one on. Raises Invalid, NotAllowed while switched off."""
    if not is_on():
        raise NotAllowed("The operators of this site have switched tuning off.")
    tuning = checked(multipliers)
    if not tuning:
        reset(user)
        return tuning
    FeedTuning.objects.update_or_create(
        user=user, defaults={"multipliers": dict(tuning.multipliers), "updated_at": clock.now()}
    )
    return tuning


def reset(user: User) -> None:
    """As the site has it, from the next page on."""
    FeedTuning.objects.filter(user=user).delete()


def weighings(tuning: Tuning) -> list[Weighing]:
    """Every predicted action, in the order of the groups."""
    site = weights.in_force().weights
    own = effective(site, tuning)
    return [Weighing(head, VERBS[head][1], site[head], own[head]) for group in GROUPS for head in group.heads]


def strangers_factor(tuning: Tuning) -> float:
    """What the value of a post by somebody the viewer does not follow is multiplied by, on ordinary pages."""
    return weights.params_in_force().oon_weight_factor * tuning.strangers


def document(tuning: Tuning) -> dict[str, Any]:
    """A tuning as a file that another account, here or elsewhere, can read."""
    return {"format": FORMAT, "multipliers": tuning.all}


def read(body: bytes) -> Tuning:
    """The tuning in such a file. Raises Invalid for anything else."""
    if len(body) > MAX_FILE:
        raise Invalid("This file is too large to be a tuning.")
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("This file is not JSON.") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Invalid(f"This file is not a tuning: its format must be “{FORMAT}”.")
    return checked(said.get("multipliers"))
