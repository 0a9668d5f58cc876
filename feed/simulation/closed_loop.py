"""The closed loop: simulated viewers browse the real For You for days while the models learn on.

The world's first days are lived under the logging policy, loaded and trained on. Then, hour by
hour, most people go on as before while the viewers open For You through the real pipeline, with
the clock held at their moment; what they do is written to the logs, and every night the models
train on what is new and are promoted if they pass the gates. At each page load the pages that
other policies would have shown the same person at that moment are judged beside it.

What a feed shows changes whom people like and follow, so these pages profit from what For You did before.
Therefore as many people again, drawn with the viewers, are a control group that opens Following instead.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

import numpy as np
from django.core.management import call_command

from accounts.models import User
from feed import services, weights
from feed.home_mixer.params import PUBLISHED_WEIGHTS, WEIGHTS
from feed.simulation.authoring import HOUR
from feed.simulation.history import MAX_PAGE, Shown
from feed.simulation.load import Load
from feed.simulation.mirror import Mirror
from feed.simulation.policies import PAGE, WINDOW_HOURS, Judge, Worth, gini
from feed.simulation.world import WorldSize, begin_world
from feed.thunder import service as thunder
from feed.types import ForYouPage
from posts.selectors import hydration, timelines
from posts.types import Surface
from ranking import tasks as ranking
from xsocial.kernel import clock
from xsocial.kernel.paging import MAX_LIMIT

FOR_YOU = "for you"
CHRONOLOGICAL = "chronological"
CONTROL = "control"
CONTROL_ORACLE = "control's best"
INFORMED = "informed"
ORACLE = "oracle"
HOURS_A_DAY = 24
READ_A_DAY = 60  # posts a person is shown, unless told otherwise; people read far more than they write
POPULAR = 400  # posts of which the popular page takes the unseen ones
#: Negative actions are five times as frequent here as in life, so a fifth of their weight is life's.
WORLD_WEIGHTS: Mapping[str, float] = {
    weight.head: weight.default / 5.0 if weight.sign < 0 else weight.default for weight in WEIGHTS
}


@dataclass(frozen=True)
class LoopSize:
    """How much is simulated. Minutes bound each training on the wall clock; 0 is no bound.

    On a busy machine raise the bounds: a first training that is stopped after a few steps makes
    the comparison one of clocks.
    """

    users: int = 800
    posts: int = 12_000
    history_days: int = 14
    days: int = 7
    viewers: int = 100
    impressions: int | None = None
    first_epochs: int = 3
    first_minutes: float = 12.0
    nightly_minutes: float = 2.0

    @property
    def world(self) -> WorldSize:
        days = self.history_days + self.days
        impressions = READ_A_DAY * self.users * days if self.impressions is None else self.impressions
        return WorldSize(self.users, self.posts, days, impressions, is_dense_at_end=False)


class Tally:
    """Sums worths by policy and day, and exposure by author."""

    def __init__(self, people: int) -> None:
        self.worths: dict[tuple[int, str], list[Worth]] = defaultdict(list)
        self.exposure: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(people))

    def add(self, day: int, policy: str, worth: Worth) -> None:
        self.worths[day, policy].append(worth)
        np.add.at(self.exposure[policy], worth.authors, worth.exposure)

    def means(self, days: range) -> dict[str, dict[str, float]]:
        """Per policy, over these days: value and rates per impression, variety per page."""
        names = list(dict.fromkeys(name for _, name in self.worths))
        return {name: _means([worth for day in days for worth in self.worths[day, name]]) for name in names}


def _means(worths: list[Worth]) -> dict[str, float]:
    if not worths:
        return {}
    return {
        "pages": len(worths),
        "value": float(np.mean([worth.value for worth in worths])),
        "negative_rate": float(np.mean([worth.negative for worth in worths])),
        "favorite_rate": float(np.mean([worth.favorite for worth in worths])),
        "topics_per_page": float(np.mean([len(set(worth.topics.tolist())) for worth in worths])),
        "authors_per_page": float(np.mean([len(set(worth.authors.tolist())) for worth in worths])),
    }


class ClosedLoop:
    """One run on an empty database, whose clock ends at `now_ms`."""

    def __init__(
        self,
        size: LoopSize,
        *,
        seed: int,
        now_ms: int,
        scenarios: tuple[str, ...] = (),
        ranking_weights: Mapping[str, float] = WORLD_WEIGHTS,
    ) -> None:
        self.size, self.seed = size, seed
        self.weights = {**PUBLISHED_WEIGHTS, **ranking_weights}
        self.world, self.history = begin_world(
            size.world,
            seed=seed,
            now_ms=now_ms,
            scenarios=scenarios,
            settled=size.history_days * HOURS_A_DAY * HOUR,
        )
        self.mirror = Mirror(Load(self.world, seed=seed), self.history)
        self.judge = Judge(self.history, self.weights)
        self.tally = Tally(len(self.world.people))
        self.rng = np.random.default_rng(seed + 2)
        self.viewers, self.control = self._chosen_viewers()
        self.users: dict[int, User] = {}

    def run(self, told: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        """Live through all days; figures by policy, by day and over the last day."""
        started = time.monotonic()
        self._prepare(told)
        with self._thunder() as memory:
            days = [self._day(day, memory, told) for day in range(self.size.days)]
        overall = self.tally.means(range(self.size.days))
        last = self.tally.means(range(self.size.days - 1, self.size.days))
        return {
            "size": asdict(self.size) | {"seed": self.seed},
            "days": days,
            "policies": {name: figures | self._reach(name) for name, figures in overall.items()},
            "last_day": last,
            "ratios": {"last day": _ratios(last), "all days": _ratios(overall)},
            "seconds": round(time.monotonic() - started, 1),
        }

    # -- before --------------------------------------------------------------------------------

    def _chosen_viewers(self) -> tuple[np.ndarray, np.ndarray]:
        """Two groups drawn at random from the people who are there to the end and not in the business of spamming."""
        people = self.world.people
        fit = (people.joined_day < -self.size.days - 1.0) & np.isinf(people.left_day) & ~people.is_spammer
        members = np.flatnonzero(fit)
        size = min(self.size.viewers, len(members) // 2)
        drawn = self.rng.choice(members, size=2 * size, replace=False)
        return drawn[:size], drawn[size:]

    def _both(self) -> list[int]:
        return [*self.viewers.tolist(), *self.control.tolist()]

    def _prepare(self, told: Callable[[str], None]) -> None:
        told(f"living {self.size.history_days} days")
        first_hour = self.size.history_days * HOURS_A_DAY
        self.world.recorded = self.history.run(range(first_hour))
        with self._at(first_hour * HOUR):
            told("loading and screening")
            self.mirror.begin()
            chosen = weights.create(name="closed loop", weights=dict(self.weights))
            weights.activate(weight_set=chosen, reason="closed loop")
            # Candidates are cached for minutes of the wall clock, which are hours here.
            weights.set_parameter("enable_cached_posts", False, reason="closed loop")
            self.users = {row: User.objects.get(pk=self.mirror.load.user_ids[row]) for row in self._both()}
            told("training")
            first = {"minutes": self.size.first_minutes, "epochs": self.size.first_epochs, "seed": self.seed}
            call_command("phoenix_train", verbosity=0, stdout=StringIO(), **first)

    @contextmanager
    def _at(self, seconds: float) -> Iterator[None]:
        with clock.fixed(clock.from_ms(int(self.world.milliseconds(np.array([seconds]))[0]))):
            yield

    @contextmanager
    def _thunder(self) -> Iterator[thunder.Embedded]:
        """A Thunder of this run's own, filled when told rather than by listening."""
        memory = thunder.Embedded()
        thunder.use(memory)
        try:
            yield memory
        finally:
            thunder.use(None)

    # -- days ----------------------------------------------------------------------------------

    def _day(self, day: int, memory: thunder.Embedded, told: Callable[[str], None]) -> dict[str, Any]:
        started = time.monotonic()
        first_hour = (self.size.history_days + day) * HOURS_A_DAY
        for hour in range(first_hour, first_hour + HOURS_A_DAY):
            self._hour(day, hour, memory)
        browsed = time.monotonic() - started
        with self._at((first_hour + HOURS_A_DAY) * HOUR - 1.0):
            self.mirror.catch_up()
            promoted = ranking.train_incremental(minutes=self.size.nightly_minutes)
        means = self.tally.means(range(day, day + 1))
        values = ", ".join(f"{name} {figures['value']:.3f}" for name, figures in means.items() if figures)
        told(f"day {day + 1}: {values}; promoted {', '.join(promoted) or 'nothing'}")
        return {
            "day": day + 1,
            "policies": means,
            "promoted": promoted,
            "browsing_seconds": round(browsed, 1),
            "learning_seconds": round(time.monotonic() - started - browsed, 1),
        }

    def _hour(self, day: int, hour: int, memory: thunder.Embedded) -> None:
        """Others read under the logging policy, then the viewers of this hour open For You, the control Following."""
        start = hour * HOUR
        self.history.begin(hour)
        sessions = self.history.sessions(hour)
        ours = np.isin(sessions, self._both())
        self.history.read(sessions[~ours], start)
        browsing = sessions[ours]
        if not len(browsing):
            return
        opened = np.sort(start + HOUR * self.rng.uniform(0.9, 1.0, len(browsing)))
        with self._at(start + 0.9 * HOUR):
            self.mirror.catch_up()
            memory.listener.load()
            memory.listener.ready = True
            memory.listener.maintain()
            ranking.index_new_posts()
            popular = self._known(hydration.popular_ids(newer_than_ms=_window_start(), limit=POPULAR).tolist())
        self._browse(day, browsing, opened, popular)

    def _browse(self, day: int, browsing: np.ndarray, opened: np.ndarray, popular: np.ndarray) -> None:
        self.history.society.drift(self.rng, browsing, float(opened[0]))
        rows = np.full((len(browsing), MAX_PAGE), -1)
        is_control = np.isin(browsing, self.control)
        first_page, requests = self.history.recorder.pages, {}
        for place, (viewer, moment) in enumerate(zip(browsing.tolist(), opened.tolist(), strict=True)):
            with self._at(moment):
                if is_control[place]:
                    pool = self.judge.pool(viewer, moment)
                    served = self._newest(viewer, pool)
                    allowed = self.judge.allowed(viewer, pool, moment)
                    self._judge(day, CONTROL, viewer, served, moment)
                    best = self.judge.best(viewer, allowed, moment)[: len(served)]
                    self._judge(day, CONTROL_ORACLE, viewer, best, moment)
                else:
                    page, _ = services.load_for_you(self.users[viewer], is_patient=True)
                    served = self._known(_posts_of(page))
                    self._compare(day, viewer, moment, served, popular)
                    requests[first_page + place] = page.request_id
            rows[place, : len(served)] = served[:MAX_PAGE]
        unknown = np.full(rows.shape, np.nan)
        surface = np.where(is_control, int(Surface.HOME_FOLLOWING), int(Surface.HOME_FOR_YOU))
        self.history.see(browsing, Shown(rows, unknown, surface), opened)
        with self._at(float(opened[-1])):
            turned = self.history.recorder.pages
            self.mirror.catch_up({page: known for page, known in requests.items() if page < turned})

    def _compare(self, day: int, viewer: int, moment: float, served: np.ndarray, popular: np.ndarray) -> None:
        """Judge this page and those of the other policies, all on what the viewer has not seen and at one length:
        a page that ends early spares its reader what is worth less."""
        pool = self.judge.pool(viewer, moment)
        allowed = self.judge.allowed(viewer, pool, moment)
        pages = {
            FOR_YOU: served,
            CHRONOLOGICAL: self._newest(viewer, pool),
            "popular": popular[np.isin(popular, pool)],
            "random": self.rng.permutation(allowed)[:PAGE],
            INFORMED: self.judge.best(viewer, allowed, moment, knows_posts=False),
            ORACLE: self.judge.best(viewer, allowed, moment),
        }
        for policy, rows in pages.items():
            self._judge(day, policy, viewer, rows[: len(served)], moment)

    def _judge(self, day: int, policy: str, viewer: int, rows: np.ndarray, moment: float) -> None:
        if len(rows):
            self.tally.add(day, policy, self.judge.page(viewer, rows, moment))

    def _newest(self, viewer: int, pool: np.ndarray) -> np.ndarray:
        """What of a pool stands on the viewer's Following, newest first."""
        following = timelines.home_posts(self.users[viewer]).order_by("-pk")[:MAX_LIMIT]
        found = following.values_list("pk", "repost_of_id")
        rows = self._known(list(dict.fromkeys(original or post for post, original in found)))
        return rows[np.isin(rows, pool)]

    def _known(self, post_ids: list[int]) -> np.ndarray:
        return self.mirror.rows_of(post_ids)

    # -- after ---------------------------------------------------------------------------------

    def _reach(self, policy: str) -> dict[str, float]:
        """How unevenly authors were shown, and how many of the hidden excellent ones were found."""
        posts, people = self.history.posts, self.world.people
        since = (self.size.history_days * HOURS_A_DAY - WINDOW_HOURS) * HOUR
        wrote = np.zeros(len(people), dtype=bool)
        wrote[posts.author[(posts.seconds >= since) & (posts.repost_of < 0)]] = True
        exposure, gems = self.tally.exposure[policy], wrote & people.is_hidden_gem
        return {
            "author_gini": gini(exposure[wrote]),
            "hidden_gems_found": float((exposure[gems] >= 1.0).mean()) if gems.any() else float("nan"),
        }


def _posts_of(page: ForYouPage) -> list[int]:
    return list(dict.fromkeys(item.post_id for item in page.items if item.kind == "post"))


def _window_start() -> int:
    return clock.now_ms() - int(WINDOW_HOURS * HOUR * 1000)


def _ratios(figures: dict[str, dict[str, float]]) -> dict[str, float | None]:
    """For You over what else its viewers could have seen, and the control group over its own best, since other
    people like other things and some like more; None where there is nothing positive to divide by."""
    value = {name: means["value"] for name, means in figures.items() if means}
    pairs = [*((FOR_YOU, other) for other in (CHRONOLOGICAL, INFORMED, ORACLE)), (CONTROL, CONTROL_ORACLE)]
    return {
        f"{name}/{other}": value[name] / value[other] if name in value and value.get(other, 0) > 0 else None
        for name, other in pairs
    }
