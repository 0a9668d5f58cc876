"""What a history leaves behind: who saw and did what, and how people's relations changed, as columns."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from feed.simulation.authoring import DAY, NONE, PostTable
from feed.simulation.behaviour import HEADS, Reaction
from feed.simulation.society import RELATIONS
from posts.types import EngagementKind, Surface

ORACLE_DAYS = 2.0
MAKING_HEADS = ("reply", "quote", "repost")
HEAD = {name: column for column, name in enumerate(HEADS)}
TIMELINE_KINDS = {name: int(EngagementKind[name.upper()]) for name in HEADS}


class Columns:
    """Batches of equally named columns, joined once at the end."""

    def __init__(self) -> None:
        self._batches: dict[str, list[np.ndarray]] = defaultdict(list)

    def append(self, **columns: np.ndarray) -> None:
        for name, values in columns.items():
            self._batches[name].append(values)

    def taken(self) -> dict[str, np.ndarray]:
        """All columns joined; what comes later begins anew."""
        batches, self._batches = self._batches, defaultdict(list)
        return {name: np.concatenate(parts) for name, parts in batches.items()}


@dataclass
class Recorded:
    """What some of the history leaves. Times are seconds from its start; posts are row numbers.

    impressions: user, row, position, page, seconds, dwell, propensity, surface
    engagements: user, row, kind, seconds, value (seconds of dwell or watch, or nan), page, surface,
        made (row of the reply, quote or repost that it made, or -1)
    follows, unfollows, blocks, mutes: first, second, seconds
    truth: impression, probabilities [n, len(HEADS)] of the last ORACLE_DAYS days
    """

    impressions: dict[str, np.ndarray]
    engagements: dict[str, np.ndarray]
    relations: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Views:
    """Posts looked at in one batch of sessions, flattened; `session` numbers the page."""

    session: np.ndarray
    place: np.ndarray
    users: np.ndarray
    rows: np.ndarray
    propensity: np.ndarray
    fatigue: np.ndarray
    surface: np.ndarray


class Recorder:
    """Notes what happens among `posts` before `end` (seconds), and counts `pages` and `impressions`."""

    def __init__(self, posts: PostTable, rng: np.random.Generator, *, end: float) -> None:
        self.posts, self.rng, self.end = posts, rng, end
        self.pages = self.impressions = 0
        self._impressions, self._engagements = Columns(), Columns()
        self._relations, self._truth = Columns(), Columns()

    def taken(self) -> Recorded:
        """What was recorded since the last time."""
        columns = (self._impressions, self._engagements, self._relations, self._truth)
        return Recorded(*(each.taken() for each in columns))

    def reading(
        self, views: Views, reaction: Reaction, acted: np.ndarray, dwell: np.ndarray, seconds: np.ndarray
    ) -> None:
        """What people saw from `seconds` [N] on for `dwell` seconds, and did: `acted` [N, len(HEADS)]."""
        page, surface = self.pages + views.session, views.surface
        self._impressions.append(
            user=views.users,
            row=views.rows,
            position=views.place,
            page=page,
            seconds=seconds,
            dwell=dwell,
            propensity=views.propensity,
            surface=surface,
        )
        told = acted.copy()
        told[:, [HEAD[head] for head in MAKING_HEADS]] = False  # noted when the post is made
        view, head = np.nonzero(told)
        kinds = np.array([TIMELINE_KINDS[name] for name in HEADS])[head]
        timed = np.isin(head, (HEAD["dwell"], HEAD["not_dwelled"]))
        lasted = np.where(timed, dwell[view], 0.8 * dwell[view] * self.rng.random(len(view)))
        self.engage(
            views.users[view],
            views.rows[view],
            kinds,
            seconds[view] + lasted,
            value=np.where(timed, dwell[view], np.nan),
            page=page[view],
            surface=surface[view],
        )
        self._watched(views, acted, dwell, seconds, page, surface)
        if seconds[0] > self.end - ORACLE_DAYS * DAY:
            self._truth.append(
                impression=self.impressions + np.arange(len(seconds)), probabilities=reaction.probabilities
            )
        self.impressions += len(seconds)

    def _watched(
        self,
        views: Views,
        acted: np.ndarray,
        dwell: np.ndarray,
        seconds: np.ndarray,
        page: np.ndarray,
        surface: np.ndarray,
    ) -> None:
        """Watch time of videos and time spent on opened posts."""
        clip = self.posts.clip_seconds[views.rows]
        video = (clip > 0) & (dwell > 1.5)
        opened = acted[:, HEAD["click"]]
        reading = self.rng.lognormal(2.2, 0.9, len(dwell))
        for chosen, kind, value in (
            (video, EngagementKind.VIDEO_VIEW, np.minimum(dwell, clip)),
            (opened, EngagementKind.CLICK_DWELL, reading),
        ):
            self.engage(
                views.users[chosen],
                views.rows[chosen],
                np.full(chosen.sum(), int(kind)),
                seconds[chosen] + value[chosen],
                value=value[chosen],
                page=page[chosen],
                surface=surface[chosen],
            )

    def engage(
        self,
        user: np.ndarray,
        row: np.ndarray,
        kind: np.ndarray,
        seconds: np.ndarray,
        *,
        value: np.ndarray | float = np.nan,
        page: np.ndarray | int = NONE,
        surface: np.ndarray | int = Surface.UNSPECIFIED,
        made: np.ndarray | int = NONE,
    ) -> None:
        """Actions of people on posts: columns of one length, or one value for all; -1 and nan where there is none."""
        shape = len(user)
        self._engagements.append(
            user=user,
            row=row,
            kind=kind,
            seconds=np.minimum(seconds, self.end - 0.3),
            value=np.broadcast_to(value, shape),
            page=np.broadcast_to(page, shape),
            surface=np.broadcast_to(surface, shape),
            made=np.broadcast_to(made, shape),
        )

    def made(
        self, made: np.ndarray, about: np.ndarray, head: str, *, page: np.ndarray | int, surface: np.ndarray | int
    ) -> None:
        """Note the replies, quotes or reposts `made` as actions on the posts they are about."""
        kind = np.full(len(made), TIMELINE_KINDS[head])
        posts = self.posts
        self.engage(posts.author[made], about, kind, posts.seconds[made], page=page, surface=surface, made=made)

    def relate(self, relation: str, first: np.ndarray, second: np.ndarray, seconds: np.ndarray) -> None:
        """A follow, unfollow, block or mute of the second people by the first."""
        code = np.full(len(first), RELATIONS.index(relation))
        self._relations.append(code=code, first=first, second=second, seconds=seconds)
