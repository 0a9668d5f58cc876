"""Putting labels on posts and taking them off: every change locks, keeps history and is announced."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.models import User
from moderation.events import PostLabelled
from moderation.grox.labelling import Proposal
from moderation.models import PostFlags, PostLabel
from moderation.services.audit import check_impartial, check_moderator, record
from moderation.services.notices import restricting, tell_authors
from moderation.services.strikes import strike, withdraw_strike
from moderation.types import (
    GROK_SUITABILITY,
    STATUS_LABELS,
    VIOLATION_LABELS,
    AppealState,
    Label,
    LabelSource,
    ReviewAction,
)
from moderation.visibility.rules import WITHHOLDING
from posts import services as posts
from posts.models import Post
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotFound
from xsocial.kernel.event_log import publish

RULE_BY_HAND = "moderator"
#: That a post was looked at, and that ads may stand beside it.
ALL_CLEAR = (Label.PTOS_REVIEWED, Label.GROK_SFA)


@dataclass(frozen=True)
class NewLabel:
    """A label to put on a post, with the rule that wants it and what it was seen in."""

    label: Label
    rule: str
    rule_id: int | None = None
    version: str = ""
    score: float | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    expires_at: datetime | None = None

    @property
    def evidence_hash(self) -> str:
        """By which the same evidence is known again."""
        return hashlib.sha256(json.dumps(dict(self.evidence), sort_keys=True).encode()).hexdigest()


def new_label(proposal: Proposal, version: str) -> NewLabel:
    """A proposal of the labelling rules as a label to store."""
    return NewLabel(
        label=proposal.label,
        rule=proposal.rule,
        rule_id=proposal.rule_id,
        version=version,
        score=proposal.score,
        evidence=dict(proposal.evidence),
    )


@transaction.atomic
def reconcile_labels(
    wanted: Mapping[int, Iterable[NewLabel]], *, rules: str | tuple[str, ...], source: LabelSource = LabelSource.GROX
) -> None:
    """Make the labels that rules whose names begin with `rules` keep on posts, by their ids, exactly those wanted.

    Labels of other sources and rules stay. A label that an upheld appeal took off is not put on again
    by the same rule for the same evidence. Repeating a call changes nothing.
    """
    lock_flags(wanted)
    known: dict[int, list[PostLabel]] = defaultdict(list)
    for row in PostLabel.objects.filter(post_id__in=wanted).select_related("appeal"):
        known[row.post_id].append(row)
    applied: dict[int, list[NewLabel]] = {}
    stale: dict[int, list[PostLabel]] = {}
    for post_id, labels in wanted.items():
        labels, rows = list(labels), known[post_id]
        current = {row.label: row for row in rows if row.lifted_at is None}
        refused = {(row.label, row.rule, row.evidence_hash) for row in rows if _was_wrong(row)}
        applied[post_id] = [
            new
            for new in labels
            if new.label not in current and (new.label, new.rule, new.evidence_hash) not in refused
        ]
        names = {new.label for new in labels}
        stale[post_id] = [
            row
            for row in current.values()
            if row.source == source and row.rule.startswith(rules) and row.label not in names
        ]
    _lift([row for rows in stale.values() for row in rows], "no longer justified")
    _insert(applied, source)
    _announce({
        post_id: ([new.label for new in applied[post_id]], [row.label for row in stale[post_id]]) for post_id in wanted
    })  # fmt: skip


def lock_flags(post_ids: Iterable[int]) -> dict[int, PostFlags]:
    """Serialise changes of posts' findings; rows are made where they are missing. Needs a transaction."""
    wanted = sorted(post_ids)
    PostFlags.objects.bulk_create((PostFlags(post_id=post_id) for post_id in wanted), ignore_conflicts=True)
    rows = PostFlags.objects.select_for_update().filter(post_id__in=wanted).order_by("post_id")
    return {row.post_id: row for row in rows}


def _was_wrong(row: PostLabel) -> bool:
    """Whether an appeal against this very finding was upheld."""
    return hasattr(row, "appeal") and row.appeal.state == AppealState.UPHELD


def settled(hashes: Mapping[int, str]) -> set[int]:
    """Those posts, given with the hashes of their wordings, about whose present wording an appeal was upheld."""
    upheld = PostLabel.objects.filter(post_id__in=hashes, appeal__state=AppealState.UPHELD)
    return {post_id for post_id, text in upheld.values_list("post_id", "evidence__text") if hashes[post_id] == text}


def _insert(labels: Mapping[int, Iterable[NewLabel]], source: LabelSource) -> None:
    """Put labels on posts, by their ids."""
    now = clock.now()
    PostLabel.objects.bulk_create(
        PostLabel(
            post_id=post_id,
            label=new.label,
            source=source,
            rule=new.rule,
            rule_id=new.rule_id,
            version=new.version,
            score=new.score,
            evidence=dict(new.evidence),
            evidence_hash=new.evidence_hash,
            applied_at=now,
            expires_at=new.expires_at,
        )
        for post_id, wanted in labels.items()
        for new in wanted
    )


def _lift(rows: list[PostLabel], reason: str) -> None:
    if rows:
        PostLabel.objects.filter(pk__in=[row.pk for row in rows]).update(lifted_at=clock.now(), lifted_reason=reason)


def _announce(changes: Mapping[int, tuple[list[str], list[str]]]) -> None:
    """Tell of labels put on posts and taken off them.

    Opens or closes the posts' doors; tells the caches, and the authors of what now limits a post or no longer does.
    """
    for post_id, (applied, lifted) in changes.items():
        if not WITHHOLDING.isdisjoint([*applied, *lifted]):
            _withhold_or_release(post_id)
    tell_authors(post_id for post_id, (applied, lifted) in changes.items() if restricting([*applied, *lifted]))
    now_ms = clock.now_ms()
    publish(*(
        PostLabelled(post_id=post_id, applied=tuple(map(str, applied)), lifted=tuple(map(str, lifted)), at_ms=now_ms)
        for post_id, (applied, lifted) in changes.items()
        if applied or lifted
    ))  # fmt: skip


def _withhold_or_release(post_id: int) -> None:
    """Bring the post's door in line with its labels: closed as long as the longest of those that close it."""
    rows = PostLabel.objects.filter(post_id=post_id, label__in=WITHHOLDING, lifted_at=None)
    ends = list(rows.values_list("expires_at", flat=True))
    if ends:
        posts.withhold(post_id, None if None in ends else max(ends))
    else:
        posts.release(post_id)


@transaction.atomic
def apply_label(
    *, moderator: User, post: Post, label: Label, note: str = "", expires_at: datetime | None = None
) -> PostLabel:
    """Put a label on by hand; one for a violation is also a strike.

    Raises NotAllowed for people who may not moderate and for the author, Invalid for a past expiry.
    """
    check_moderator(moderator)
    check_impartial(moderator, post.author_id)
    if expires_at and expires_at <= clock.now():
        raise Invalid("A label cannot expire in the past.")
    lock_flags([post.pk])
    row = PostLabel.objects.filter(post=post, label=label, lifted_at=None).first()
    if row is None:
        new = NewLabel(label, RULE_BY_HAND, evidence={"note": note}, expires_at=expires_at)
        _insert({post.pk: [new]}, LabelSource.MODERATOR)
        row = PostLabel.objects.get(post=post, label=label, lifted_at=None)
        _announce({post.pk: ([label], [])})
        record(moderator, ReviewAction.LABEL_APPLIED, post_id=post.pk, label=label, note=note)
        if label in VIOLATION_LABELS:
            strike(moderator=moderator, label=row)
    return row


@transaction.atomic
def lift_label(*, moderator: User, label: PostLabel, note: str = "") -> None:
    """Take a label off by hand.

    Raises NotAllowed for people who may not moderate and for the post's author, NotFound if it is gone.
    """
    check_moderator(moderator)
    check_impartial(moderator, label.post.author_id)
    lift_row(label, reason=note or "lifted by a moderator")
    record(moderator, ReviewAction.LABEL_LIFTED, post_id=label.post_id, label=label.label, note=note)


@transaction.atomic
def doubt(post_id: int) -> None:
    """Take the all-clear off a post that says something else now; what limits it stays until somebody has looked.

    A post about which an appeal was upheld keeps it: screening leaves that wording to people, and would not give it
    back.
    """
    lock_flags([post_id])
    rows = list(PostLabel.objects.filter(post_id=post_id, label__in=ALL_CLEAR, lifted_at=None))
    if not rows or PostLabel.objects.filter(post_id=post_id, appeal__state=AppealState.UPHELD).exists():
        return
    _lift(rows, "the post was edited")
    _announce({post_id: ([], [row.label for row in rows])})


def lift_row(label: PostLabel, *, reason: str) -> None:
    """Take one label off, and with the last restriction also what advertisers were told because of it."""
    lock_flags([label.post_id])
    row = PostLabel.objects.select_for_update().filter(pk=label.pk, lifted_at=None).first()
    if row is None:
        raise NotFound("This label was already taken off.")
    _lift([row], reason)
    withdraw_strike(row)
    PostFlags.objects.filter(post_id=row.post_id).update(**dict.fromkeys(PostFlags.NAMES, False))
    applied, lifted = _clear_for_ads(row.post_id, reason)
    _announce({row.post_id: (applied, [row.label, *lifted])})


def _clear_for_ads(post_id: int, reason: str) -> tuple[list[str], list[str]]:
    """Give the all-clear to a post that carries no restriction any more; returns labels put on and off."""
    rows = list(PostLabel.objects.filter(post_id=post_id, lifted_at=None))
    doubts = [row for row in rows if row.label in (Label.GROK_NSFA, Label.GROK_NSFA_LIMITED)]
    if not doubts or {row.label for row in rows} - STATUS_LABELS - set(GROK_SUITABILITY):
        return [], []
    _lift(doubts, reason)
    _insert({post_id: [NewLabel(Label.GROK_SFA, RULE_BY_HAND)]}, LabelSource.MODERATOR)
    return [Label.GROK_SFA], [row.label for row in doubts]
