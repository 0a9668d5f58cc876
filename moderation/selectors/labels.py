"""Labels in force."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from moderation.models import PostAnnotation, PostLabel
from moderation.types import Label
from xsocial.kernel import clock


def active_labels() -> QuerySet[PostLabel]:
    """Labels neither lifted nor expired."""
    return PostLabel.objects.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()), lifted_at=None)


def labels_for(post_ids: Iterable[int]) -> dict[int, set[str]]:
    """The active labels of each post asked for, an empty set where there are none. One query."""
    wanted = [int(post_id) for post_id in post_ids]
    labels: dict[int, set[str]] = {post_id: set() for post_id in wanted}
    for post_id, label in active_labels().filter(post_id__in=wanted).values_list("post_id", "label"):
        labels[post_id].add(label)
    return labels


def screened(post_ids: Iterable[int]) -> set[int]:
    """Which of these posts Grox has looked at, if only to say that it cannot judge them. One query."""
    rows = active_labels().filter(
        post_id__in=[int(post_id) for post_id in post_ids], label__in=[Label.PTOS_REVIEWED, Label.GROK_NOT_SCORED]
    )
    return set(rows.values_list("post_id", flat=True))


@dataclass(frozen=True)
class Findings:
    """All that is known about one post: labels in force, and the latest annotation of each plan."""

    labels: list[PostLabel]
    annotations: list[PostAnnotation]


def post_findings(post_id: int) -> Findings:
    """What moderators, and the author, may look up about one post."""
    latest = PostAnnotation.objects.filter(post_id=post_id).order_by("plan", "-created_at").distinct("plan")
    return Findings(list(active_labels().filter(post_id=post_id).order_by("applied_at", "pk")), list(latest))
