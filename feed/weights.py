"""Which ranking weights are in force, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction

from accounts.models import User
from feed.home_mixer import params
from feed.home_mixer.query import WeightsInForce
from feed.home_mixer.tuning import Tuning
from feed.models import FeatureParameter, WeightChange, WeightSet
from xsocial.kernel import sql
from xsocial.kernel.errors import Invalid, NotFound

_LOCK = 0x5745_4947  # advisory lock: one change at a time, or the chain could fork
GENESIS = "0" * 64
# On the path of every page load, hence in SQL, and one question for all.
_LIVE = """
SELECT (SELECT jsonb_object_agg(name, value)::text FROM feed_featureparameter),
       (SELECT jsonb_build_array(s.number, s.weights)::text
          FROM feed_weightchange c JOIN feed_weightset s ON s.number = c.weight_set_id
         ORDER BY c.id DESC LIMIT 1),
       (SELECT multipliers::text FROM feed_feedtuning WHERE user_id = %(viewer)s)
"""


@dataclass(frozen=True)
class Live:
    """What staff can change from one page load to the next; parameters are overrides by name."""

    weights: WeightsInForce
    parameters: Mapping[str, object]


def live(viewer_id: int = 0) -> Live:
    """The weights of the newest activation, the published set before the first; and the live parameters.

    The weights are tuned as the viewer wishes, where one is named.
    """
    parameters, chosen, tuned = sql.row(_LIVE, {"viewer": viewer_id}) or (None, None, None)
    tuning = Tuning.of(orjson.loads(tuned)) if tuned else Tuning()
    in_force = WeightsInForce(tuning=tuning)
    if chosen:
        number, weights = orjson.loads(chosen)
        in_force = WeightsInForce(number, {**params.PUBLISHED_WEIGHTS, **weights}, tuning)
    return Live(in_force, orjson.loads(parameters) if parameters else {})


def in_force() -> WeightsInForce:
    """The weights of the newest activation; the published set before the first."""
    return live().weights


def numbered(number: int) -> WeightsInForce:
    """The weights of a set, in force or not; 0 is the published one. Raises NotFound."""
    if number == 0:
        return WeightsInForce()
    chosen = WeightSet.objects.filter(pk=number).first()
    if chosen is None:
        raise NotFound(f"There is no weight set {number}.")
    return WeightsInForce(chosen.number, {**params.PUBLISHED_WEIGHTS, **chosen.weights})


def create(*, name: str, weights: dict[str, float], actor: User | None = None, note: str = "") -> WeightSet:
    """A new numbered set. Raises Invalid for unknown heads and values out of bounds."""
    complaints = params.weight_problems(weights)
    if complaints:
        raise Invalid("; ".join(complaints), extra={"weights": complaints})
    return WeightSet.objects.create(name=name, weights=weights, created_by=actor, note=note)


@transaction.atomic
def activate(*, weight_set: WeightSet, reason: str, actor: User | None = None) -> WeightChange:
    """Put a set in force from the next page load on, and say so in the log."""
    return _log(reason, actor, weight_set=weight_set)


@transaction.atomic
def set_parameter(name: str, value: object, *, reason: str, actor: User | None = None) -> WeightChange:
    """Use this value from the next page load on. Raises Invalid for an unknown name and values out of bounds."""
    complaint = params.override_problem(name, value)
    if complaint:
        raise Invalid(complaint)
    row, _ = FeatureParameter.objects.update_or_create(
        name=name, defaults={"value": value, "note": reason, "updated_by": actor}
    )
    row.refresh_from_db()  # numbers as the database writes them, which is what the digest is checked with
    return _log(reason, actor, parameter=name, value=row.value)


@transaction.atomic
def reset_parameter(name: str, *, reason: str, actor: User | None = None) -> WeightChange:
    """Use the default from the next page load on. Raises NotFound where no other value is in force."""
    deleted, _ = FeatureParameter.objects.filter(name=name).delete()
    if not deleted:
        raise NotFound(f"{name} has its default.")
    return _log(reason, actor, parameter=name)


def _log(reason: str, actor: User | None, **subject: Any) -> WeightChange:
    """One more link of the chain, in the transaction of the change itself."""
    if not reason.strip():
        raise Invalid("Say why it changes.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = WeightChange.objects.order_by("-id").first()
    change = WeightChange(
        actor=actor, reason=reason.strip(), previous_digest=last.digest if last else GENESIS, **subject
    )
    change.digest = change.computed_digest()
    change.save()
    return change


def broken_links() -> list[int]:
    """Ids of log rows whose digest does not follow from what they say and what came before."""
    broken, previous = [], GENESIS
    for change in WeightChange.objects.select_related("weight_set").order_by("id"):
        if change.previous_digest != previous or change.digest != change.computed_digest():
            broken.append(change.pk)
        previous = change.digest
    return broken


def notes() -> dict[str, str]:
    """Why parameters have other values than their defaults, by name."""
    return dict(FeatureParameter.objects.exclude(note="").values_list("name", "note"))


def profile_in_force() -> str:
    """The profile of sizes that page loads use: the live one, else the one in the settings."""
    return params_in_force().profile


def set_profile(name: str, *, actor: User | None = None) -> None:
    """Use the sizes of this profile from the next page load on. Raises Invalid for an unknown one."""
    set_parameter("profile", name, reason="another profile of sizes", actor=actor)


def params_in_force() -> params.Params:
    """The parameters of a request that asks for nothing special."""
    return params.resolve(settings.FEED_PROFILE, live().parameters)
