"""Labels in force."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from moderation.models import PostAnnotation, PostLabel
from moderation.types import Label
from xsocial.kernel import clock, sql


def active_labels() -> QuerySet[PostLabel]:
    """Labels neither lifted nor expired."""
    return PostLabel.objects.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()), lifted_at=None)


_LABELS = """
SELECT post_id, label FROM moderation_postlabel
 WHERE post_id = ANY(%(ids)s::bigint[]) AND lifted_at IS NULL AND (expires_at IS NULL OR expires_at > %(now)s)
"""
_CARRYING = f"""
SELECT {sql.packed("post_id")} FROM ({_LABELS}) AS l (post_id, label) WHERE label = ANY(%(labels)s)
"""


def labels_for(post_ids: Iterable[int]) -> dict[int, set[str]]:
    """The active labels of each post asked for, an empty set where there are none. One query."""
    labels: dict[int, set[str]] = {int(post_id): set() for post_id in post_ids}
    for post_id, label in sql.rows(_LABELS, {"ids": sql.bigints(labels), "now": clock.now()}):
        labels[post_id].add(label)
    return labels


def screened(post_ids: Iterable[int]) -> set[int]:
    """Which of these posts Grox has looked at, if only to say that it cannot judge them. One query."""
    told = [str(Label.PTOS_REVIEWED), str(Label.GROK_NOT_SCORED)]
    params = {"ids": sql.bigints(map(int, post_ids)), "now": clock.now(), "labels": told}
    return _carrying(params)


def lowered_replies(post_ids: Collection[int]) -> set[int]:
    """Which of these replies a conversation shows below the others. One query."""
    params = {"ids": sql.bigints(post_ids), "now": clock.now(), "labels": [str(Label.RISKY_HIGH_VIZ_REPLY)]}
    return _carrying(params)


def _carrying(params: dict[str, object]) -> set[int]:
    found = sql.row(_CARRYING, params)
    return set(sql.unpacked(found[0] if found else None).tolist())


@dataclass(frozen=True)
class Findings:
    """All that is known about one post: labels in force, and the latest annotation of each plan."""

    labels: list[PostLabel]
    annotations: list[PostAnnotation]


def post_findings(post_id: int) -> Findings:
    """What moderators, and the author, may look up about one post."""
    latest = PostAnnotation.objects.filter(post_id=post_id).order_by("plan", "-created_at").distinct("plan")
    return Findings(list(active_labels().filter(post_id=post_id).order_by("applied_at", "pk")), list(latest))
