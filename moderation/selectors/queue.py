"""What waits for moderators, the most pressing first."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import Follow, User
from moderation.models import Appeal, PostAnnotation, PostFlags, Report, ReviewDecision
from moderation.types import LABEL_WORDS, AppealState, QueueKind, ReportState, ReviewAction
from posts.models import Post
from xsocial.kernel import clock

LIMIT = 50
REPORTS_READ = 2_000
NEW_ACCOUNT = timedelta(days=7)
NEW_ACCOUNT_COUNTS = 0.25


@dataclass(frozen=True)
class Entry:
    """One line of the queue. `weight` orders it; `reasons` are words for people; those `involved` may not decide it."""

    pk: int
    kind: QueueKind
    account: User
    post: Post | None
    weight: float
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    since: datetime
    involved: frozenset[int]
    num_people: int = 0


def waiting() -> dict[QueueKind, int]:
    """How many entries each part of the queue has."""
    reports = Report.objects.filter(state=ReportState.OPEN).values("account", "post").distinct().count()
    return {
        QueueKind.REPORTS: reports,
        QueueKind.UNSURE: PostFlags.objects.filter(is_borderline=True, post__deleted_at=None).count(),
        QueueKind.APPEALS: Appeal.objects.filter(state=AppealState.OPEN).count(),
    }


def entries(kind: QueueKind, *, limit: int = LIMIT) -> list[Entry]:
    """The first entries of one part of the queue."""
    match kind:
        case QueueKind.REPORTS:
            return _reported(limit)
        case QueueKind.UNSURE:
            return _unsure(limit)
        case QueueKind.APPEALS:
            return _appealed(limit)


def _reported(limit: int) -> list[Entry]:
    """One entry for all reports of the same thing, by the weight of those who reported it."""
    rows = list(
        Report.objects.filter(state=ReportState.OPEN)
        .select_related("account", "post__author", "reporter")
        .order_by("created_at")[:REPORTS_READ]
    )
    groups: dict[tuple[int, int | None], list[Report]] = defaultdict(list)
    for row in rows:
        groups[row.account_id, row.post_id].append(row)
    trust = reporter_weights(row.reporter for row in rows)
    friends = _follows_among({row.reporter_id for row in rows})
    found = [_report_entry(group, trust, friends) for group in groups.values()]
    return sorted(found, key=lambda entry: (-entry.weight, entry.since))[:limit]


def _report_entry(rows: list[Report], trust: dict[int, float], friends: set[tuple[int, int]]) -> Entry:
    reasons = Counter(row.get_reason_display() for row in rows)
    return Entry(
        pk=rows[0].pk,
        kind=QueueKind.REPORTS,
        account=rows[0].account,
        post=rows[0].post,
        weight=round(independent_weight({row.reporter_id: trust[row.reporter_id] for row in rows}, friends), 2),
        reasons=tuple(f"{count} times {name}" if count > 1 else name for name, count in reasons.most_common()),
        notes=tuple(row.note for row in rows if row.note)[:3],
        since=rows[0].created_at,
        involved=frozenset({rows[0].account_id, *(row.reporter_id for row in rows)}),
        num_people=len({row.reporter_id for row in rows}),
    )


def reporter_weights(reporters: Iterable[User]) -> dict[int, float]:
    """How much each person's word counts: (upheld + 1) / (decided + 2), a quarter of it from a new account."""
    people = {person.pk: person for person in reporters}
    decided = (
        Report.objects.filter(reporter__in=people)
        .exclude(state=ReportState.OPEN)
        .values("reporter")
        .annotate(total=Count("pk"), upheld=Count("pk", filter=Q(state=ReportState.UPHELD)))
    )
    history = {row["reporter"]: (row["upheld"], row["total"]) for row in decided}
    young = clock.now() - NEW_ACCOUNT
    weights = {}
    for pk, person in people.items():
        upheld, total = history.get(pk, (0, 0))
        share = (upheld + 1) / (total + 2)
        weights[pk] = share * (NEW_ACCOUNT_COUNTS if person.date_joined > young else 1)
    return weights


def independent_weight(weights: dict[int, float], friends: set[tuple[int, int]]) -> float:
    """The sum over groups of people who follow one another, each group counting as its weightiest member."""
    group = {person: person for person in weights}

    def root(person: int) -> int:
        while group[person] != person:
            person = group[person]
        return person

    for one, other in friends:
        if one in group and other in group:
            group[root(one)] = root(other)
    strongest: dict[int, float] = defaultdict(float)
    for person, weight in weights.items():
        strongest[root(person)] = max(strongest[root(person)], weight)
    return sum(strongest.values())


def _follows_among(people: set[int]) -> set[tuple[int, int]]:
    return set(Follow.objects.filter(follower__in=people, followee__in=people).values_list("follower", "followee"))


def _unsure(limit: int) -> list[Entry]:
    """Posts with a score near its threshold, the surest of them first."""
    rows = (
        PostFlags.objects.filter(is_borderline=True, post__deleted_at=None)
        .select_related("post__author")
        .order_by("-updated_at")[: 4 * limit]
    )
    by_post = {row.pk: row for row in rows}
    reviews = _reviews(by_post)
    found = [
        Entry(
            pk=pk,
            kind=QueueKind.UNSURE,
            account=row.post.author,
            post=row.post,
            weight=max((score for _, score in reviews.get(pk, ())), default=0.0),
            reasons=tuple(f"{_in_words(category)} {score:.0f}%" for category, score in reviews.get(pk, ())),
            notes=(),
            since=row.updated_at,
            involved=frozenset({row.post.author_id}),
        )
        for pk, row in by_post.items()
    ]
    return sorted(found, key=lambda entry: (-entry.weight, entry.since))[:limit]


def _reviews(post_ids: Iterable[int]) -> dict[int, list[tuple[str, float]]]:
    """Of each post, the categories that its latest policy screen left to people, with scores 0 to 100."""
    latest = (
        PostAnnotation.objects.filter(post_id__in=list(post_ids), plan="safety_ptos")
        .order_by("post", "-created_at")
        .distinct("post")
        .values_list("post_id", "result")
    )
    answers = {}
    for post_id, result in latest:
        result = result if isinstance(result, dict) else {}
        review = result.get("policy", result).get("review", [])
        answers[post_id] = [(row["category"], row["score"]) for row in review]
    return answers


def _appealed(limit: int) -> list[Entry]:
    rows = list(
        Appeal.objects.filter(state=AppealState.OPEN)
        .select_related("author", "label__post__author")
        .order_by("created_at")[:limit]
    )
    labellers = _labellers(rows)
    return [
        Entry(
            pk=row.pk,
            kind=QueueKind.APPEALS,
            account=row.author,
            post=row.label.post,
            weight=0.0,
            reasons=(f"{LABEL_WORDS.get(row.label.label, row.label.label)}, put on by {row.label.rule}",),
            notes=(row.statement,),
            since=row.created_at,
            involved=frozenset({row.author_id, *labellers[row.label.post_id, row.label.label]}),
        )
        for row in rows
    ]


def _labellers(appeals: Iterable[Appeal]) -> dict[tuple[int, str], set[int]]:
    """Who put labels on the posts by hand, by post and label."""
    decisions = ReviewDecision.objects.filter(
        post__in=[row.label.post_id for row in appeals], action=ReviewAction.LABEL_APPLIED
    )
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    for post_id, label, moderator_id in decisions.values_list("post_id", "label", "moderator_id"):
        found[post_id, label].add(moderator_id)
    return found


def _in_words(category: str) -> str:
    """HateOrAbuse is what the policy calls it, "Hate or abuse" what people read."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: f" {letter[0].lower()}", category)
