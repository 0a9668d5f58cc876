"""A person's own noes: what each still weighs, and how to take it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast
from django.utils.text import Truncator

from accounts.models import Block, Mute, MutedKeyword, User
from feed import weights
from feed.signals.kinds import SEVERE, Kind, half_life_days
from feed.signals.voices import decayed
from moderation.models import Report
from moderation.services import withdraw_report
from posts.models import Engagement, Post
from posts.types import EngagementKind
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

PER_PAGE = 25
EXCERPT = 80
WORDS = {
    Kind.BLOCK: "You block",
    Kind.MUTE: "You mute",
    Kind.REPORT: "You reported",
    Kind.NOT_INTERESTED: "Not interested in a post by",
    Kind.WORD: "You mute the word",
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One no. ``weight`` in percent is what is left of it for others; None: it concerns its owner alone.

    ``withdraw`` is the address that takes it back, empty where it cannot be any more.
    """

    kind: Kind
    words: str
    target: str
    at: datetime
    weight: int | None
    note: str
    withdraw: str


@dataclass(frozen=True, slots=True)
class SignalPage:
    """One page of signals, newest first; pages count from 1."""

    signals: tuple[Signal, ...]
    page: int
    num_pages: int


def of_person(person: User, page: int = 1) -> SignalPage:
    """A person's signals. Raises NotFound for a page that is not there."""
    rows = _rows(person)
    num_pages = max(1, -(-rows.count() // PER_PAGE))
    if not 1 <= page <= num_pages:
        raise NotFound("There is no such page of the list.")
    shown = list(rows.order_by("-at", "sign", "pk")[(page - 1) * PER_PAGE : page * PER_PAGE])
    return SignalPage(tuple(_signals(shown)), page, num_pages)


@transaction.atomic
def withdraw(person: User, kind: str, pk: int) -> None:
    """Take back a report or a "not interested" of this person. Raises NotFound, Conflict once decided."""
    if kind == Kind.REPORT:
        withdraw_report(user=person, report_id=pk)
        return
    rows = Engagement.objects.filter(user=person, pk=pk, kind=EngagementKind.NOT_INTERESTED)
    if kind != Kind.NOT_INTERESTED or not rows.delete()[0]:
        raise NotFound("There is no such signal of yours.")


def _rows(person: User):
    """(kind, pk, at, person or post it is about, extra) of every kind, as one query."""

    def part(rows, kind: Kind, about: str, extra=None):
        return rows.values(
            "pk", sign=Value(kind.value), at=F("created_at"), about=F(about), extra=extra or Value("", CharField())
        )

    now = clock.now()
    mutes = Mute.objects.filter(muter=person).exclude(expires_at__lte=now)
    words = MutedKeyword.objects.filter(user=person).exclude(expires_at__lte=now)
    noes = Engagement.objects.filter(user=person, kind=EngagementKind.NOT_INTERESTED)
    reports = Report.objects.filter(reporter=person)
    return part(Block.objects.filter(blocker=person), Kind.BLOCK, "blocked_id").union(
        part(mutes, Kind.MUTE, "muted_id"),
        part(words, Kind.WORD, "user_id", F("phrase")),
        part(noes, Kind.NOT_INTERESTED, "author_id", Cast("post_id", CharField())),
        part(reports, Kind.REPORT, "account_id", F("reason")),
        all=True,
    )


def _signals(rows: list[dict]) -> list[Signal]:
    people = dict(User.objects.filter(pk__in={row["about"] for row in rows}).values_list("pk", "username"))
    texts = _texts([int(row["extra"]) for row in rows if row["sign"] == Kind.NOT_INTERESTED])
    decided = set(
        Report.objects.filter(pk__in=[row["pk"] for row in rows if row["sign"] == Kind.REPORT])
        .exclude(decided_at=None)
        .values_list("pk", flat=True)
    )
    return [_signal(row, people.get(row["about"], "deleted account"), texts, decided) for row in rows]


def _signal(row: dict, name: str, texts: dict[int, str], decided: set[int]) -> Signal:
    kind = Kind(row["sign"])
    is_severe = kind == Kind.REPORT and row["extra"] in SEVERE
    note = {
        Kind.REPORT: f"{row['extra'].replace('_', ' ')}{', decided' if row['pk'] in decided else ''}",
        Kind.NOT_INTERESTED: texts.get(int(row["extra"]), "") if kind == Kind.NOT_INTERESTED else "",
    }.get(kind, "")
    withdrawals = {
        Kind.BLOCK: f"/@{name}/unblock",
        Kind.MUTE: f"/@{name}/unmute",
        Kind.WORD: f"/settings/keywords/{row['pk']}/remove",
        Kind.REPORT: "" if row["pk"] in decided else f"/settings/signals/report/{row['pk']}/withdraw",
        Kind.NOT_INTERESTED: f"/settings/signals/not_interested/{row['pk']}/withdraw",
    }
    target = f"“{row['extra']}”" if kind == Kind.WORD else f"@{name}"
    return Signal(
        kind, WORDS[kind], target, row["at"], None if is_severe else _weight(kind, row["at"]), note, withdrawals[kind]
    )


def _weight(kind: Kind, at: datetime) -> int | None:
    half_life = half_life_days(kind, weights.params_in_force())
    return None if half_life is None else round(100 * float(decayed(clock.now_ms() - clock.to_ms(at), half_life)))


def _texts(post_ids: list[int]) -> dict[int, str]:
    found = Post.objects.filter(pk__in=post_ids).values_list("pk", "text")
    return {pk: Truncator(text).chars(EXCERPT) for pk, text in found}
