"""Weeks of the demo world, hour by hour: sessions, pages, reactions, and what they change."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from feed.simulation.authoring import DAY, HOUR, NONE, TEXT, PostTable
from feed.simulation.behaviour import HEADS, Encounter, Preferences, calibrated, draw, joined, thinned
from feed.simulation.logging_policy import POLICIES, fill_pages, policy_weights
from feed.simulation.people import rhythm
from feed.simulation.record import HEAD, MAKING_HEADS, Recorded, Recorder, Views
from feed.simulation.scenarios import Mob
from feed.simulation.society import WINDOW, Society
from posts.types import EngagementKind, Surface

MAX_PAGE = 40
POOL = {"in_network": 96, "popular": 48, "similar": 64, "random": 40}
SESSION_CHUNK = 512
CALIBRATION_EVERY = 0.02  # of the history
CALIBRATION_BATCHES = 24  # latest ones, of which so many encounters each
CALIBRATION_ENCOUNTERS = 1500
#: Change of affinity to the author by each head.
AFFINITY_CHANGE = {
    "favorite": 0.18,
    "reply": 0.22,
    "repost": 0.22,
    "quote": 0.18,
    "click": 0.04,
    "profile_click": 0.08,
    "dwell": 0.025,
    "follow_author": 0.25,
    "bookmark": 0.10,
    "not_interested": -0.50,
    "mute_author": -1.0,
    "block_author": -2.0,
    "report": -1.0,
    "not_dwelled": -0.03,
}
_CHANGE = np.array([AFFINITY_CHANGE.get(head, 0.0) for head in HEADS], dtype=np.float32)
_POPULARITY = np.array(
    [{"favorite": 1.0, "reply": 1.5, "repost": 1.5, "quote": 1.5, "dwell": 0.1}.get(head, 0.0) for head in HEADS],
    dtype=np.float32,
)


@dataclass(frozen=True)
class Shown:
    """Pages [S, K] of post rows, -1 where there is none, and how each page came about.

    `propensity` [S, K] is nan where unknown; `surface` [S].
    """

    rows: np.ndarray
    propensity: np.ndarray
    surface: np.ndarray


class History:
    """Runs a society through time under the logging policy, or under pages given from outside.

    The heads' biases follow the encounters until `settled` (seconds), by default to the end.
    """

    def __init__(
        self,
        society: Society,
        originals: dict[str, np.ndarray],
        rng: np.random.Generator,
        *,
        days: float,
        now_hour: float,
        impressions: int,
        is_dense_at_end: bool = True,
        settled: float | None = None,
        mobs: Sequence[Mob] = (),
    ) -> None:
        self.society, self.originals, self.rng, self.mobs = society, originals, rng, mobs
        self.end, self.now_hour = days * DAY, now_hour
        self.settled = self.end if settled is None else settled
        self.wanted = impressions
        self.recorder = Recorder(society.posts, rng, end=self.end)
        self.preferences: Preferences | None = None
        self._met: list[Encounter] = []
        self._calibrate_at = 0.0
        self._next_original = self._hour = 0
        self._row_of_original = np.full(len(originals["seconds"]), NONE)
        self._pending: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
        self._reposts: set[tuple[int, int]] = set()
        self.hours = int(np.ceil(self.end / HOUR))
        # Relative number of sessions of each hour.
        self._load = np.where((np.arange(self.hours) >= self.hours - 48) & is_dense_at_end, 1.7, 1.0)

    # -- time ----------------------------------------------------------------------------------

    def run(self, hours: range | None = None, progress: Callable[[int], None] = lambda hours: None) -> Recorded:
        """Simulate these hours, by default all; `progress` is told of each."""
        for hour in hours or range(self.hours):
            self.begin(hour)
            self.read(self.sessions(hour), hour * HOUR)
            progress(1)
        self._publish_until(min((self._hour + 1) * HOUR, self.end))
        return self.recorder.taken()

    def begin(self, hour: int) -> None:
        """Publish what is due at the beginning of an hour, and let time pass."""
        start, self._hour = hour * HOUR, hour
        self._publish_until(start)
        self._answer(hour)
        self._attack(start)
        self._cool(start)

    def _clock_hour(self, seconds: float) -> float:
        return (self.now_hour + (seconds - self.end) / HOUR) % 24.0

    def _cool(self, start: float) -> None:
        society = self.society
        first = int(np.searchsorted(self.posts.seconds, start - WINDOW))
        society.cool(1.0, first)
        if int(start) % int(DAY) < HOUR:
            society.affinity *= 0.93
            society.satisfaction += 0.1 * (1.0 - society.satisfaction)

    @property
    def posts(self) -> PostTable:
        return self.society.posts

    # -- posting -------------------------------------------------------------------------------

    def _publish_until(self, seconds: float) -> None:
        """Append the originals due before `seconds`; thread parts point at their opener."""
        stop = int(np.searchsorted(self.originals["seconds"], seconds))
        due = np.arange(self._next_original, stop)
        self._next_original = stop
        if not len(due):
            return
        batch = {name: values[due] for name, values in self.originals.items() if name != "continues"}
        rows = self.posts.append(**batch)
        self._row_of_original[due] = rows
        follows = self.originals["continues"][due]
        parts, parents = rows[follows >= 0], self._row_of_original[follows[follows >= 0]]
        self._attach(parts, parents)
        self.recorder.made(parts, parents, "reply", page=NONE, surface=Surface.UNSPECIFIED)
        self.society.publish(rows)

    def _attach(self, rows: np.ndarray, parents: np.ndarray) -> None:
        """Make `rows` replies to `parents`, one after another (a parent may be in `rows`)."""
        posts = self.posts
        for row, parent in zip(rows.tolist(), parents.tolist(), strict=True):
            posts.in_reply_to[row] = parent
            posts.root[row] = posts.root[parent]
            posts.depth[row] = posts.depth[parent] + 1

    def _derived(self, authors: np.ndarray, parents: np.ndarray, seconds: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of replies and quotes: subject and heat come from the parent."""
        people, posts, rng = self.society.people, self.posts, self.rng
        count = len(authors)
        heat = posts.controversy[parents]
        rude = rng.random(count) < 0.015 + 0.25 * people.is_provocateur[authors] + 0.10 * heat * people.tone[authors]
        return {
            "seconds": seconds,
            "author": authors,
            "subtopic": posts.subtopic[parents],
            "quality": people.quality[authors] + 0.5 * rng.normal(size=count),
            "controversy": np.clip(0.6 * heat + 0.4 * people.tone[authors] + 0.1 * rng.normal(size=count), 0, 1),
            "form": np.full(count, TEXT),
            "length": 60 * np.exp(0.3 * people.length_habit[authors] + 0.4 * rng.normal(size=count)),
            "language": posts.language[parents],
            "insult": np.where(rude, rng.uniform(0.4, 1.0, count), 0.0),
            "spam": np.where(people.is_spammer[authors], rng.uniform(0.6, 1.0, count), 0.0),
        }

    def _reply(self, authors: np.ndarray, parents: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        rows = self.posts.append(**self._derived(authors, parents, seconds))
        self._attach(rows, parents)
        self.society.publish(rows)
        self._expect_answers(rows)
        return rows

    def _expect_answers(self, rows: np.ndarray) -> None:
        """The one replied to often answers, minutes or hours later, less so deep in a thread."""
        posts, people = self.posts, self.society.people
        answerers = posts.author[posts.in_reply_to[rows]]
        chance = 0.55 * np.exp(-0.12 * posts.depth[rows]) * (people.posts_per_day[answerers] > 0)
        chance *= (posts.spam[rows] == 0) & (answerers != posts.author[rows])
        due = posts.seconds[rows] + self.rng.lognormal(7.2, 1.2, len(rows))
        for place in np.flatnonzero(self.rng.random(len(rows)) < chance):
            if due[place] < self.end:
                entry = (float(due[place]), int(answerers[place]), int(rows[place]))
                self._pending[max(int(due[place] // HOUR), self._hour)].append(entry)

    def _answer(self, hour: int) -> None:
        """Replies that grow out of notifications; answers within this hour come next hour."""
        entries = sorted(self._pending.pop(hour - 1, []))
        if not entries:
            return
        seconds, authors, parents = (np.array(column) for column in zip(*entries, strict=True))
        made = self._reply(authors, parents, seconds)
        self.recorder.made(made, parents, "reply", page=NONE, surface=Surface.NOTIFICATIONS)

    def _attack(self, start: float) -> None:
        """Members of mobs whose moment has come block their victim, from its latest post."""
        for mob in self.mobs:
            due = (mob.seconds >= start) & (mob.seconds < start + HOUR)
            theirs = np.flatnonzero((self.posts.author == mob.victim) & (self.posts.seconds < start))
            if not due.any() or not len(theirs):
                continue
            users, victims = mob.members[due], np.full(due.sum(), mob.victim)
            kind = np.full(len(users), int(EngagementKind.BLOCK_AUTHOR))
            self.recorder.engage(
                users, np.full(len(users), theirs[-1]), kind, mob.seconds[due], surface=Surface.PROFILE
            )
            self._block(users, victims, mob.seconds[due])

    def _block(self, users: np.ndarray, authors: np.ndarray, seconds: np.ndarray) -> None:
        """Blocks end follows both ways."""
        society = self.society
        society.blocks.add(users, authors)
        society.follows.discard(users, authors)
        society.follows.discard(authors, users)
        self.recorder.relate("block", users, authors, seconds)

    # -- reading -------------------------------------------------------------------------------

    def sessions(self, hour: int) -> np.ndarray:
        """Who opens the app this hour, each at most once."""
        start, people = hour * HOUR, self.society.people
        present = self.society.present(start, self.end)
        rate = people.sessions_per_day * rhythm(self._clock_hour(start), people.hours_from_utc)
        rate = rate * present * np.clip(self.society.satisfaction, 0.2, 1.5)
        if start > self.end - 3 * HOUR:
            rate[people.demo] = 0.0  # so that the printed logins find something unseen
        left = max(self.wanted - self.recorder.impressions, 0)
        share = self._load[hour] / self._load[hour:].sum()
        rate *= left * share / 17.0 / max(rate.sum(), 1e-9)
        return self.rng.permutation(np.repeat(np.arange(len(rate)), np.minimum(self.rng.poisson(rate), 1)))

    def read(self, sessions: np.ndarray, start: float) -> None:
        """Sessions of one hour under the logging policy."""
        for low in range(0, len(sessions), SESSION_CHUNK):
            chunk = sessions[low : low + SESSION_CHUNK]
            self.society.drift(self.rng, chunk, start)
            shown = self._filled(chunk, start)
            if shown is not None:
                self.see(chunk, shown, np.sort(start + self.rng.uniform(0, 0.8 * HOUR, len(chunk))))

    def see(self, sessions: np.ndarray, shown: Shown, opened: np.ndarray) -> None:
        """People look at the pages they opened at these moments and react, which changes the world."""
        views = self._views(sessions, shown)
        if not len(views.rows):
            return
        mood = 0.45 * self.rng.normal(size=len(sessions))
        encounter = self.society.encounter(
            users=views.users,
            rows=views.rows,
            seconds=opened[views.session],
            fatigue=views.fatigue,
            mood=mood[views.session],
        )
        preferences = self._calibrated(encounter)
        reaction = preferences.react(encounter)
        acted, dwell = draw(self.rng, reaction)
        seconds = self._moments(views, opened, dwell)
        self.recorder.reading(views, reaction, acted, dwell, seconds)
        self._change(views, acted, seconds)

    def _calibrated(self, encounter: Encounter) -> Preferences:
        """The heads' biases: they follow the encounters, so that rates stay on target as people
        come to know one another, until they are settled."""
        if self.preferences is not None and self._hour * HOUR > self.settled:
            return self.preferences
        self._met = [*self._met[1 - CALIBRATION_BATCHES :], thinned(encounter, CALIBRATION_ENCOUNTERS)]
        if self.preferences is None or self.recorder.impressions >= self._calibrate_at:
            self.preferences = calibrated(joined(self._met), self.preferences)
            self._calibrate_at = self.recorder.impressions + CALIBRATION_EVERY * self.wanted
        return self.preferences

    def _filled(self, sessions: np.ndarray, start: float) -> Shown | None:
        """Every session's page as the logging policy fills it."""
        if not len(self.posts):
            return None
        pool = self._pool(sessions, start)
        valid = self.valid(sessions, pool)
        if not valid.any():
            return None
        users = sessions[:, None]
        age = np.maximum(start - self.posts.seconds[pool], 0.0) / HOUR
        weights = policy_weights(
            valid=valid,
            age_hours=age,
            in_network=self.society.follows.has(users, self.posts.author[pool]),
            popularity=self.posts.heat[pool],
            taste=self.society.people.taste[users, self.posts.subtopic[pool]],
        )
        pages = fill_pages(self.rng, weights, MAX_PAGE)
        rows = np.take_along_axis(np.where(valid, pool, NONE), pages.columns, axis=1)
        is_following = pages.policy == POLICIES.index("chronological")
        surface = np.where(is_following, Surface.HOME_FOLLOWING, Surface.HOME_FOR_YOU)
        return Shown(rows, pages.propensity, surface)

    def _views(self, sessions: np.ndarray, shown: Shown) -> Views:
        """The posts that get attention, with what wears on it."""
        examined = self.attention(sessions, shown.rows, length=self._lengths(sessions))
        seen = (shown.rows >= 0) & (self.rng.random(shown.rows.shape) < examined)
        session, place = np.nonzero(seen)
        fatigue = self.fatigue(shown.rows, seen)[seen]
        surface = shown.surface[session]
        return Views(session, place, sessions[session], shown.rows[seen], shown.propensity[seen], fatigue, surface)

    def _pool(self, sessions: np.ndarray, start: float) -> np.ndarray:
        """Posts each page may hold, -1 padded: in network, popular, similar, random."""
        society, rng, count = self.society, self.rng, len(sessions)
        first = int(np.searchsorted(self.posts.seconds, start - WINDOW))
        recent = np.arange(first, len(self.posts))
        if not len(recent):
            return np.full((count, 1), NONE)
        top = recent[np.argsort(-self.posts.heat[recent])[:240]]
        near = society.people.subtopic_weight[sessions].cumsum(axis=1)
        draws = rng.random((count, POOL["similar"])) * near[:, -1:]
        liked = np.stack([np.searchsorted(row, draw) for row, draw in zip(near, draws, strict=True)])
        liked = np.minimum(liked, near.shape[1] - 1)
        ring = rng.integers(0, society.by_subtopic.shape[1], liked.shape)
        pool = np.hstack(
            (
                self._in_network(sessions, first),
                top[rng.integers(0, len(top), (count, POOL["popular"]))],
                society.by_subtopic[liked, ring],
                recent[rng.integers(0, len(recent), (count, POOL["random"]))],
            )
        )
        pool = np.where(pool >= first, pool, NONE)
        return np.where((pool >= 0) & (self.posts.repost_of[pool] >= 0), self.posts.repost_of[pool], pool)

    def _in_network(self, sessions: np.ndarray, first: int) -> np.ndarray:
        """The latest posts of the followed, and their reposts."""
        width = POOL["in_network"]
        pool = np.full((len(sessions), width), NONE)
        for place, user in enumerate(sessions.tolist()):
            found = self.society.by_author[self.society.follows.of(user)].ravel()
            found = found[found >= first]
            if len(found) > width:
                found = np.partition(found, len(found) - width)[-width:]
            pool[place, : len(found)] = found
        return pool

    def valid(self, sessions: np.ndarray, pool: np.ndarray) -> np.ndarray:
        """Unseen, not one's own, not blocked or muted either way, and each post once."""
        society, users = self.society, sessions[:, None]
        authors = self.posts.author[pool]
        order = np.argsort(pool, axis=1, kind="stable")
        ordered = np.take_along_axis(pool, order, axis=1)
        again = np.zeros(pool.shape, dtype=bool)
        np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
        silenced = society.blocks.has(users, authors) | society.mutes.has(users, authors)
        silenced |= society.blocks.has(authors, np.broadcast_to(users, authors.shape))
        seen = society.has_seen(users, pool)
        return (pool >= 0) & ~again & ~seen & ~silenced & (authors != users) & society.is_open_to(users, pool)

    def _lengths(self, sessions: np.ndarray) -> np.ndarray:
        """How far down its page each session goes."""
        patience = self.society.people.patience[sessions, None]
        return np.clip(26.0 * patience * self.rng.lognormal(-0.1, 0.4, (len(sessions), 1)), 4, MAX_PAGE)

    def attention(self, sessions: np.ndarray, rows: np.ndarray, *, length: np.ndarray | float) -> np.ndarray:
        """Position bias: patience runs out down the page; loved forms hold the eye."""
        place = np.arange(rows.shape[1])
        patience = self.society.people.patience[sessions, None]
        examine = np.exp(-0.018 * place / patience) * (place < length)
        fit = 1.0 / (1.0 + np.exp(-(1.6 + 1.5 * self.society.form_fit(sessions[:, None], rows))))
        return examine * fit

    def fatigue(self, rows: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Grows with each earlier post of the same author or topic on the page."""
        before = np.tril(np.ones((rows.shape[1],) * 2, dtype=bool), -1) & seen[:, None, :]
        authors = self.posts.author[rows]
        topics = self.society.space.topic_of[self.posts.subtopic[rows]]
        same_author = ((authors[:, :, None] == authors[:, None, :]) & before).sum(axis=2)
        same_topic = ((topics[:, :, None] == topics[:, None, :]) & before).sum(axis=2)
        return np.minimum(0.45 * same_author + 0.10 * same_topic, 2.0)

    def _moments(self, views: Views, opened: np.ndarray, dwell: np.ndarray) -> np.ndarray:
        """When each post came into view: after the dwell on those above it."""
        spent = np.cumsum(dwell + 0.6) - (dwell + 0.6)
        first = np.searchsorted(views.session, views.session)
        return np.minimum(opened[views.session] + spent - spent[first], self.end - 1.0)

    # -- consequences --------------------------------------------------------------------------

    def _change(self, views: Views, acted: np.ndarray, seconds: np.ndarray) -> None:
        """Encounters feed back: memory, popularity, interest, relations, new posts, churn."""
        society = self.society
        authors = self.posts.author[views.rows]
        society.seen[views.users, views.rows % society.seen.shape[1]] = True
        society.remember(views.users, authors, acted @ _CHANGE)
        society.warm(views.rows, acted @ _POPULARITY)
        liked = acted[:, HEAD["favorite"]] | acted[:, HEAD["reply"]]
        society.catch_interest(self.rng, views.users[liked], views.rows[liked], float(seconds[0]))
        self._churn(views, acted)
        self._relate(views.users, authors, acted, seconds)
        self._write(views, acted, seconds, self.recorder.pages + views.session)
        self.recorder.pages += int(views.session.max()) + 1

    def _churn(self, views: Views, acted: np.ndarray) -> None:
        """Good sessions bring people back, several bad ones keep them away."""
        good = acted[:, HEAD["favorite"]] + 0.4 * acted[:, HEAD["dwell"]]
        bad = acted[:, HEAD["not_interested"]] + acted[:, HEAD["report"]] + acted[:, HEAD["block_author"]]
        change = 0.02 * (good - 0.14) - 0.06 * bad
        np.add.at(self.society.satisfaction, views.users, change.astype(np.float32))
        np.clip(self.society.satisfaction, 0.2, 1.6, out=self.society.satisfaction)

    def _relate(self, users: np.ndarray, authors: np.ndarray, acted: np.ndarray, seconds: np.ndarray) -> None:
        """Follows, unfollows, blocks and mutes that came out of reading."""
        society = self.society
        leaving = acted[:, HEAD["not_interested"]] & (self.rng.random(len(users)) < 0.15)
        changes = (
            ("follow", society.follows.add, acted[:, HEAD["follow_author"]]),
            ("unfollow", society.follows.discard, leaving & society.follows.has(users, authors)),
            ("mute", society.mutes.add, acted[:, HEAD["mute_author"]]),
        )
        for relation, change, chosen in changes:
            change(users[chosen], authors[chosen])
            self.recorder.relate(relation, users[chosen], authors[chosen], seconds[chosen])
        blocking = acted[:, HEAD["block_author"]]
        self._block(users[blocking], authors[blocking], seconds[blocking])

    def _write(self, views: Views, acted: np.ndarray, seconds: np.ndarray, page: np.ndarray) -> None:
        """Replies, quotes and reposts become posts."""
        delay = seconds + self.rng.uniform(15, 150, len(seconds))
        delay = np.minimum(delay, self.end - 0.4)
        for head, make in zip(MAKING_HEADS, (self._reply, self._quote, self._repost), strict=True):
            chosen = acted[:, HEAD[head]]
            if head == "repost":
                chosen = chosen & self._first_reposts(views.users, views.rows)
            if chosen.any():
                made = make(views.users[chosen], views.rows[chosen], delay[chosen])
                self.recorder.made(made, views.rows[chosen], head, page=page[chosen], surface=views.surface[chosen])

    def _first_reposts(self, users: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Where the person has not reposted the post before: a feed may show it to him again."""
        return np.array([pair not in self._reposts for pair in zip(users.tolist(), rows.tolist(), strict=True)])

    def _quote(self, users: np.ndarray, rows: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        made = self.posts.append(**self._derived(users, rows, seconds), quote_of=rows)
        self.society.publish(made)
        return made

    def _repost(self, users: np.ndarray, rows: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        posts = self.posts
        self._reposts.update(zip(users.tolist(), rows.tolist(), strict=True))
        made = posts.append(
            seconds=seconds,
            author=users,
            subtopic=posts.subtopic[rows],
            language=posts.language[rows],
            repost_of=rows,
        )
        self.society.publish(made)
        return made
