"""The changing state of the demo world: who follows, likes, has seen and is interested in what."""

import numpy as np

from feed.simulation.authoring import DAY, HOUR, Bursts, PostTable
from feed.simulation.behaviour import BASE_RATES, ONCE_HEADS, VIDEO_HEADS, Encounter
from feed.simulation.graph import Edges, distinct
from feed.simulation.people import Population
from feed.simulation.topics import TopicSpace

AFFINITY_COLUMNS = 4096
SEEN_COLUMNS = 32_768
BUDGET = 60_000_000  # cells of the per-person tables together
AUTHOR_RING = 10
SUBTOPIC_RING = 128
WINDOW = 60 * HOUR
#: Changes between two people that reading leads to; the index is the code in the history.
RELATIONS = ("follow", "unfollow", "block", "mute")


def _columns_for(people: int, wanted: int) -> int:
    return int(min(wanted, max(64, BUDGET // max(people, 1))))


def put_in_rings(rings: np.ndarray, turned: np.ndarray, ring_of: np.ndarray, rows: np.ndarray) -> None:
    """Write `rows` (rising) into the rings they belong to; `turned` counts what each ring has had."""
    order = np.argsort(ring_of, kind="stable")
    ring, ordered = ring_of[order], rows[order]
    first = np.searchsorted(ring, ring)
    slot = turned[ring] + np.arange(len(ring)) - first
    fresh = slot >= turned[ring] + np.bincount(ring, minlength=len(turned))[ring] - rings.shape[1]
    rings[ring[fresh], slot[fresh] % rings.shape[1]] = ordered[fresh]
    np.add.at(turned, ring, 1)


class PairSet:
    """A set of directed pairs over n people as sorted keys `first * n + second`."""

    def __init__(self, n: int, first: np.ndarray, second: np.ndarray) -> None:
        self.n = n
        self.keys = distinct(first.astype(np.int64) * n + second)

    def has(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Membership of each pair."""
        if not len(self.keys):
            return np.zeros(np.broadcast_shapes(first.shape, second.shape), dtype=bool)
        keys = first.astype(np.int64) * self.n + second
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return self.keys[place] == keys

    def of(self, first: int) -> np.ndarray:
        """All second members of one person's pairs."""
        low, high = np.searchsorted(self.keys, (first * self.n, (first + 1) * self.n))
        return self.keys[low:high] - first * self.n

    def add(self, first: np.ndarray, second: np.ndarray) -> None:
        new = self._missing(first, second)
        if len(new):
            self.keys = np.insert(self.keys, np.searchsorted(self.keys, new), new)

    def _missing(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Keys of the pairs that are not there, in order, each once."""
        absent = ~self.has(first, second)
        return distinct(first[absent].astype(np.int64) * self.n + second[absent])

    def discard(self, first: np.ndarray, second: np.ndarray) -> None:
        there = self.has(first, second)
        if there.any():
            gone = first[there].astype(np.int64) * self.n + second[there]
            self.keys = np.delete(self.keys, np.searchsorted(self.keys, gone))

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self.keys // self.n, self.keys % self.n


class Society:
    """People, posts and everything between them at one moment of the simulation.

    Affinity and what was seen are kept in tables of bounded width (author or post modulo the
    width): exact for small worlds, with rare harmless collisions in large ones.
    """

    def __init__(
        self,
        people: Population,
        space: TopicSpace,
        events: Bursts,
        follows: Edges,
        subscriptions: Edges,
        posts: PostTable,
    ) -> None:
        n = len(people)
        self.people, self.space, self.events, self.posts = people, space, events, posts
        self.follows = PairSet(n, follows.source, follows.target)
        self.subscriptions = PairSet(n, subscriptions.source, subscriptions.target)
        nobody = np.empty(0, dtype=np.int64)
        self.blocks = PairSet(n, nobody, nobody)
        self.mutes = PairSet(n, nobody, nobody)
        self.affinity = np.zeros((n, _columns_for(n, min(n, AFFINITY_COLUMNS))), dtype=np.float32)
        self.seen = np.zeros((n, _columns_for(n, SEEN_COLUMNS)), dtype=bool)
        self.hot_subtopic = np.zeros((n, 2), dtype=np.int16)
        self.hot_until = np.full((n, 2), -1.0)
        self.hot_strength = np.zeros((n, 2), dtype=np.float32)
        self.satisfaction = np.ones(n, dtype=np.float32)
        self.by_author = np.full((n, AUTHOR_RING), -1, dtype=np.int32)
        self.by_subtopic = np.full((len(space.topic_of), SUBTOPIC_RING), -1, dtype=np.int32)
        self._author_slot = np.zeros(n, dtype=np.int64)
        self._subtopic_slot = np.zeros(len(space.topic_of), dtype=np.int64)

    # -- who may see what ----------------------------------------------------------------------

    def is_open_to(self, users: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Whether people may see posts: those of the locked are for followers, some for subscribers."""
        users, rows = np.broadcast_arrays(users, rows)
        authors = self.posts.author[rows]
        is_open = np.ones(rows.shape, dtype=bool)
        for closed, circle in (
            (self.people.is_locked[authors], self.follows),
            (self.posts.subscribers_only[rows], self.subscriptions),
        ):
            is_open[closed] &= circle.has(users[closed], authors[closed])
        return is_open

    def has_seen(self, users: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Whether people have looked at posts; negative rows are those of padding and say nothing."""
        return self.seen[users, rows % self.seen.shape[1]]

    # -- what is around ------------------------------------------------------------------------

    def publish(self, rows: np.ndarray) -> None:
        """Make posts findable: through their author, and through their subtopic unless a repost."""
        posts = self.posts
        put_in_rings(self.by_author, self._author_slot, posts.author[rows], rows)
        original = rows[(posts.repost_of[rows] < 0) & (posts.in_reply_to[rows] < 0)]
        put_in_rings(self.by_subtopic, self._subtopic_slot, posts.subtopic[original], original)

    def warm(self, rows: np.ndarray, by: np.ndarray) -> None:
        """Add recent engagement to posts' popularity."""
        np.add.at(self.posts.heat, rows, by)

    def cool(self, hours: float, first_row: int) -> None:
        """Let popularity decay with a half-life of nine hours."""
        self.posts.heat[first_row:] *= 0.5 ** (hours / 9.0)

    # -- short-term interest -------------------------------------------------------------------

    def drift(self, rng: np.random.Generator, people: np.ndarray, seconds: float) -> None:
        """Replace expired short-term interests of people who are about to read."""
        users = np.unique(people)
        for slot in range(2):
            expired = users[self.hot_until[users, slot] < seconds]
            count = len(expired)
            self.hot_subtopic[expired, slot] = self._next_interest(rng, expired, seconds)
            self.hot_until[expired, slot] = seconds + rng.lognormal(2.9, 0.8, count) * HOUR
            awake = rng.random(count) < (0.85, 0.5)[slot]
            self.hot_strength[expired, slot] = np.where(awake, rng.uniform(0.7, 1.3, count), 0.0)

    def _next_interest(self, rng: np.random.Generator, users: np.ndarray, seconds: float) -> np.ndarray:
        """Half from long-term interest, a quarter from the news, a quarter anything."""
        cumulative = np.cumsum(self.people.subtopic_weight[users], axis=1)
        usual = (cumulative < rng.random((len(users), 1)) * cumulative[:, -1:]).sum(axis=1)
        usual = np.minimum(usual, cumulative.shape[1] - 1) if len(users) else usual
        anything = rng.integers(0, cumulative.shape[1], len(users))
        heat = self.events.heat(seconds)
        news = np.full(len(users), self.events.subtopic[heat.argmax()]) if heat.max() > 0.1 else usual
        source = rng.random(len(users))
        return np.where(source < 0.5, usual, np.where(source < 0.75, news, anything))

    def catch_interest(self, rng: np.random.Generator, users: np.ndarray, rows: np.ndarray, seconds: float) -> None:
        """Now and then something liked becomes the interest of the next hours."""
        caught = rng.random(len(users)) < 0.15
        users, rows = users[caught], rows[caught]
        self.hot_subtopic[users, 1] = self.posts.subtopic[rows]
        self.hot_until[users, 1] = seconds + rng.lognormal(2.3, 0.7, len(users)) * HOUR
        self.hot_strength[users, 1] = 1.0

    def hot_match(self, users: np.ndarray, subtopics: np.ndarray) -> np.ndarray:
        """How well subtopics meet people's interest of the hour, about -0.2 to 1.3."""
        best = np.zeros(users.shape, dtype=np.float32)
        for slot in range(2):
            hot = self.hot_subtopic[users, slot]
            same_topic = self.space.topic_of[hot] == self.space.topic_of[subtopics]
            near = np.where(same_topic, 0.7, 0.25 * np.maximum(self.space.similarity[hot, subtopics], 0.0))
            near = np.where(hot == subtopics, 1.0, near)
            best = np.maximum(best, near * self.hot_strength[users, slot])
        return best - 0.2

    # -- affinity ------------------------------------------------------------------------------

    def affinity_to(self, users: np.ndarray, authors: np.ndarray) -> np.ndarray:
        return self.affinity[users, authors % self.affinity.shape[1]]

    def remember(self, users: np.ndarray, authors: np.ndarray, change: np.ndarray) -> None:
        """Good encounters raise affinity, bad ones lower it, within [-2, 2]."""
        columns = authors % self.affinity.shape[1]
        np.add.at(self.affinity, (users, columns), change)
        self.affinity[users, columns] = np.clip(self.affinity[users, columns], -2.0, 2.0)

    # -- encounters ----------------------------------------------------------------------------

    def form_fit(self, users: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self.people.form_taste[users, self.posts.form[rows]]

    def encounter(
        self, *, users: np.ndarray, rows: np.ndarray, seconds: np.ndarray, fatigue: np.ndarray, mood: np.ndarray
    ) -> Encounter:
        """Everything that bears on how `users` react to posts `rows` at these moments."""
        people, posts = self.people, self.posts
        authors, subtopics = posts.author[rows], posts.subtopic[rows]
        follows = self.follows.has(users, authors)
        language = posts.language[rows]
        foreign = (language != people.language[users]) & (language != people.second_language[users])
        style = (people.style_taste[users] * people.style[authors]).sum(axis=1) / 2.0
        return Encounter(
            match=people.taste[users, subtopics],
            hot=self.hot_match(users, subtopics),
            affinity=self.affinity_to(users, authors),
            chemistry=style,
            follows=follows.astype(np.float32),
            mutual=(follows & self.follows.has(authors, users)).astype(np.float32),
            quality=posts.quality[rows],
            controversy=posts.controversy[rows],
            controversy_taste=people.controversy_taste[users],
            form_taste=self.form_fit(users, rows),
            length=np.log(np.maximum(posts.length[rows], 8.0) / 90.0),
            length_taste=people.length_taste[users],
            video_length=np.log1p(posts.clip_seconds[rows]) / 2.0,
            age_hours=np.maximum(seconds - posts.seconds[rows], 0.0) / HOUR,
            burst=posts.burst[rows],
            fatigue=fatigue,
            foreign=foreign.astype(np.float32),
            spam=posts.spam[rows] * people.spam_sensitivity[users],
            insult=posts.insult[rows] * people.insult_sensitivity[users],
            bait=posts.bait[rows].astype(np.float32),
            generosity=people.generosity[users],
            mood=mood,
            possible=self._possible(users, rows, follows),
        )

    def _possible(self, users: np.ndarray, rows: np.ndarray, follows: np.ndarray) -> np.ndarray:
        heads = {head: column for column, head in enumerate(BASE_RATES)}
        possible = np.ones((len(rows), len(heads)), dtype=bool)
        form = self.posts.form[rows]
        possible[:, heads["photo_expand"]] = form == 1
        for head in VIDEO_HEADS:
            possible[:, heads[head]] = form == 2
        possible[:, heads["quoted_click"]] = self.posts.quote_of[rows] >= 0
        possible[:, heads["follow_author"]] = ~follows
        authors = self.posts.author[rows]
        for head in ("quote", "repost"):
            possible[self.people.is_locked[authors] | self.posts.subscribers_only[rows], heads[head]] = False
        again = self.has_seen(users, rows)
        for head in ONCE_HEADS:
            possible[again, heads[head]] = False
        lurks = self.people.posts_per_day[users] == 0
        for head in ("reply", "quote", "repost"):
            possible[lurks, heads[head]] = False
        return possible

    # -- presence ------------------------------------------------------------------------------

    def present(self, seconds: float, end: float) -> np.ndarray:
        """Who has joined, not fallen silent and not gone away for a while."""
        return self.people.is_present((seconds - end) / DAY)
