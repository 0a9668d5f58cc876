"""Random loads made and run again a day later: the check that replay holds on a whole world."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from accounts.models import Topic, User
from feed import services
from feed.receipts import store
from feed.types import FeedRequest
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Report:
    """How many loads came out the same; ``remainder`` counts candidates neither served nor in a ledger."""

    replayed: int
    identical: int
    different: tuple[int, ...]
    cached: int
    viewers: int
    remainder: int
    median_bytes: int
    largest_bytes: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"different": [str(each) for each in self.different]}


def replay_random(count: int, *, seed: int) -> Report:
    """Make ``count`` loads of random people and kinds, then replay all with the clock moved on by a day.

    Raises NotFound where there is nobody.
    """
    draws = random.Random(seed)
    people = list(User.objects.filter(is_active=True).order_by("pk"))
    if not people:
        raise NotFound("There is nobody to load a page for.")
    topics = list(Topic.objects.order_by("pk").values_list("pk", flat=True))
    requests = [_load(draws, draws.choice(people), topics) for _ in range(count)]
    with clock.fixed(clock.now() + A_DAY):
        different = tuple(each for each in requests if not services.replay(each).is_identical)
    rows = [store.any_row(each) for each in requests]
    receipts = [store.unpack(row) for row in rows]
    sizes = [len(bytes(row.body)) for row in rows]
    return Report(
        replayed=len(requests),
        identical=len(requests) - len(different),
        different=different,
        cached=sum(receipt["is_cached"] for receipt in receipts),
        viewers=len({row.viewer_id for row in rows}),
        remainder=sum(map(remainder, receipts)),
        median_bytes=int(median(sizes)),
        largest_bytes=max(sizes),
    )


def remainder(receipt: dict[str, Any]) -> int:
    """Candidates that are neither on the page nor in the ledger; 0 unless something is wrong."""
    served = sum(item["kind"] == "post" for item in receipt["items"])
    return abs(receipt["num_candidates"] - served - sum(row["count"] for row in receipt["dropped"]))


def _load(draws: random.Random, viewer: User, topics: list[int]) -> int:
    """One load: mostly plain ones, some of a topic, some in network only, some that continue a page."""
    kind = draws.random()
    request = FeedRequest(
        platform="command",
        topic_ids=(draws.choice(topics),) if topics and kind < 0.1 else (),
        in_network_only=0.1 <= kind < 0.2,
        exclude_videos=0.2 <= kind < 0.3,
    )
    page, _ = services.load_for_you(viewer, request=request, is_patient=True)
    if kind > 0.8 and page.cursor:
        more = FeedRequest(platform="command", cursor=page.cursor)
        page, _ = services.load_for_you(viewer, request=more, is_patient=True)
    return page.request_id
