"""One day of receipts as a funnel per author: how many posts times page loads reached each step.

retrieved = served + what each rule left out, exactly as in the ledgers; a viewer's own posts are not
counted. With every figure goes the number of people behind it, so that small groups stay hidden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from django.db import transaction

from feed.models import AuthorReach, Receipt
from feed.receipts import codec
from feed.receipts.tape import Tape
from posts.models import Engagement, Impression, Post
from posts.types import EngagementKind, Visibility
from xsocial.kernel import clock, ids

STEPS = ("eligible", "retrieved", "passed", "ranked", "served", "seen", "acted")
#: Looking is no act, and a no is counted elsewhere.
NO_ACTS = (
    EngagementKind.DWELL,
    EngagementKind.DWELL_TIME,
    EngagementKind.NOT_DWELLED,
    EngagementKind.VIDEO_VIEW,
    EngagementKind.CLICK_DWELL,
    EngagementKind.NOT_INTERESTED,
    EngagementKind.BLOCK_AUTHOR,
    EngagementKind.MUTE_AUTHOR,
    EngagementKind.REPORT,
)
CHUNK = 5_000  # places on pages looked up at once
LATER = timedelta(hours=12)  # how long after a page something seen or done there still counts

Key = tuple[int, bool]  # author, before followers


class Tally:
    """Counts and the people behind them, by author, audience and name of the figure."""

    def __init__(self) -> None:
        self.counts: dict[tuple[Key, str], int] = defaultdict(int)
        self.people: dict[tuple[Key, str], set[int]] = defaultdict(set)

    def add(self, key: Key, name: str, viewer: int, count: int = 1) -> None:
        """Count ``count`` more of a figure, caused by this viewer."""
        self.counts[key, name] += count
        self.people[key, name].add(viewer)

    def add_rows(self, authors: np.ndarray, followed: np.ndarray, name: str, viewer: int) -> None:
        """One more for every row."""
        for is_followed in (True, False):
            who, how_many = np.unique(authors[followed == is_followed], return_counts=True)
            for author, count in zip(who.tolist(), how_many.tolist(), strict=True):
                self.add((author, is_followed), name, viewer, count)

    def figures(self, key: Key, names: Iterator[str] | tuple[str, ...]) -> dict[str, list[int]]:
        """Name -> [count, people], without zeros."""
        return {
            name: [self.counts[key, name], len(self.people[key, name])] for name in names if (key, name) in self.counts
        }


def count_days() -> int:
    """Count today so far and yesterday; returns how many rows were written."""
    today = clock.now().astimezone(UTC).date()
    return sum(count_day(day) for day in (today - timedelta(days=1), today))


def count_day(day: date) -> int:
    """Count one day anew, UTC; returns how many rows were written. Doing it again changes nothing."""
    low, high = (ids.id_at(clock.to_ms(datetime.combine(each, time(), UTC))) for each in (day, day + timedelta(days=1)))
    steps, rules = Tally(), Tally()
    posts = _recent_posts(low, high)
    receipts = (
        Receipt.objects.filter(request_id__gte=low, request_id__lt=high)
        .order_by("request_id")
        .select_related("settings")
    )
    served: dict[tuple[int, int], Key] = {}
    for row in receipts.iterator(200):
        plain = codec.unpack(bytes(row.body))["tape"]
        if plain:
            _count_load(row, Tape.of(plain), posts, steps, rules, served)
        if len(served) >= CHUNK:
            _count_after(served, steps)
            served.clear()
    _count_after(served, steps)
    return _write(day, steps, rules)


def _recent_posts(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and authors of the posts that a page of these ids could have, oldest first."""
    since = low - (ids.id_at(ids.EPOCH_MS + 48 * 3_600_000))
    rows = Post.objects.filter(
        pk__gte=max(since, 0), pk__lt=high, deleted_at=None, visibility=Visibility.PUBLIC
    ).order_by("pk")
    found = np.array(list(rows.values_list("pk", "author_id")), np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _count_load(
    row: Receipt,
    tape: Tape,
    posts: tuple[np.ndarray, np.ndarray],
    steps: Tally,
    rules: Tally,
    served: dict[tuple[int, int], Key],
) -> None:
    viewer, columns, fates = row.viewer_id, tape.columns, tape.fates
    follows = tape.query.get("followed_user_ids", np.empty(0, np.int64))
    _count_eligible(row, posts, follows, steps)
    if "author_id" not in columns:
        return
    reposted = columns.get("repost_of_user_id", np.zeros(len(fates.of), np.int64))
    authors = np.where(reposted > 0, reposted, columns["author_id"])
    theirs = authors != viewer
    followed = np.isin(authors, follows)
    stage = np.array([stage for stage, _ in fates.rules] + ["served"])[fates.of]
    reached = {
        "retrieved": theirs,
        "passed": theirs & (stage != "filters"),
        "ranked": theirs & ~np.isin(stage, ("filters", "selector")),
        "served": theirs & (stage == "served"),
    }
    for name, rows in reached.items():
        steps.add_rows(authors[rows], followed[rows], name, viewer)
    for rule, (_, component) in enumerate(fates.rules):
        rows = theirs & (fates.of == rule)
        rules.add_rows(authors[rows], followed[rows], component, viewer)
    originals = np.where(columns["repost_of_id"] > 0, columns["repost_of_id"], columns["post_id"])
    rows = reached["served"]
    for post, author, flag in zip(
        originals[rows].tolist(), authors[rows].tolist(), followed[rows].tolist(), strict=True
    ):
        served[row.request_id, post] = (author, flag)


def _count_eligible(row: Receipt, posts: tuple[np.ndarray, np.ndarray], follows: np.ndarray, steps: Tally) -> None:
    """Public posts that were young enough for this page."""
    post_ids, authors = posts
    oldest = row.request_id - ids.id_at(ids.EPOCH_MS + 1_000 * int(row.settings.body["params"]["max_post_age_s"]))
    start, end = np.searchsorted(post_ids, (oldest, row.request_id))
    young = authors[start:end]
    young = young[young != row.viewer_id]
    steps.add_rows(young, np.isin(young, follows), "eligible", row.viewer_id)


def _count_after(served: dict[tuple[int, int], Key], steps: Tally) -> None:
    """What of the served was seen and acted on; each post of a page once."""
    if not served:
        return
    requests = sorted({request for request, _ in served})
    span = {
        "request_id__in": requests,
        "created_at__gte": ids.datetime_of(requests[0]),
        "created_at__lt": ids.datetime_of(requests[-1]) + LATER,
    }
    acts = Engagement.objects.exclude(kind__in=NO_ACTS)
    for name, rows in (("seen", Impression.objects), ("acted", acts)):
        found = rows.filter(**span).values_list("request_id", "post_id", "user_id").distinct()
        for request, post, person in found.order_by():
            if (request, post) in served:
                steps.add(served[request, post], name, person)


@transaction.atomic
def _write(day: date, steps: Tally, rules: Tally) -> int:
    """Replace the day's rows: of authors whose posts were looked at at all."""
    left_out: dict[Key, list[str]] = defaultdict(list)
    for key, rule in rules.counts:
        left_out[key].append(rule)
    rows = [
        AuthorReach(
            author_id=key[0],
            day=day,
            by_followers=key[1],
            counts=steps.figures(key, STEPS),
            left_out=rules.figures(key, tuple(sorted(left_out[key]))),
        )
        for key, name in list(steps.counts)
        if name == "retrieved"
    ]
    AuthorReach.objects.filter(day=day).delete()
    return len(AuthorReach.objects.bulk_create(rows, batch_size=1_000))
