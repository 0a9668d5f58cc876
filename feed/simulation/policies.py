"""What a page is truly worth to a person, and the pages that other policies would have shown.

All are judged on the same world at the same moment: expected engagement value per impression
under the ranking weights, with the true probabilities in place of predictions; a reply to an original
by somebody mutually followed counts more, as in the ranking.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from feed.home_mixer.params import HEADS as RANKED_HEADS
from feed.home_mixer.params import Params
from feed.home_mixer.scorers import value_model
from feed.simulation.authoring import HOUR
from feed.simulation.behaviour import DWELL_SPREAD, HEADS, NEGATIVE_HEADS
from feed.simulation.history import History
from feed.thunder.post_store import Limits

PAGE = 20
WINDOW_HOURS = 48
SHORTLIST = 150  # of which the oracle composes its page
LIMITS = Limits()  # of what Thunder gives of one author
PARAMS = Params()  # what counts how much is the ranking's to say
NAMES = {"video_quality_view": "vqv"}
NEGATIVE = [HEADS.index(head) for head in NEGATIVE_HEADS]
FAVORITE = HEADS.index("favorite")


@dataclass(frozen=True)
class Worth:
    """One page: means over its expected impressions, and who and what it shows.

    `exposure` [K] is the chance that each post is looked at; `authors` and `topics` [K].
    """

    value: float
    negative: float
    favorite: float
    exposure: np.ndarray
    authors: np.ndarray
    topics: np.ndarray


class Judge:
    """Knows the truth about a history's world, and values it by ranking weights."""

    def __init__(self, history: History, weights: Mapping[str, float]) -> None:
        self.history, self.weights = history, weights

    def pool(self, user: int, moment: float) -> np.ndarray:
        """Rows of the posts that this person might be shown now: recent, unseen, open to them."""
        rows = self._recent(moment)
        rows = rows[self.history.posts.repost_of[rows] < 0]
        return rows[self.history.valid(np.array([user]), rows[None])[0]]

    def _recent(self, moment: float) -> np.ndarray:
        """Rows of what was written within the window; rows are in order of time but for an hour."""
        seconds = self.history.posts.seconds
        rows = np.arange(np.searchsorted(seconds, moment - (WINDOW_HOURS + 1) * HOUR), len(seconds))
        age = moment - seconds[rows]
        return rows[(age >= 0) & (age < WINDOW_HOURS * HOUR)]

    def allowed(self, user: int, pool: np.ndarray, moment: float) -> np.ndarray:
        """What the published rules let into For You: of a pool the originals, by anybody, and beside it what people
        the user follows have lately passed on."""
        return np.union1d(pool[self.history.posts.in_reply_to[pool] < 0], self._passed_on(user, moment))

    def _passed_on(self, user: int, moment: float) -> np.ndarray:
        """What the followed reposted, however old and whatever it answers, and their replies to something unseen: to a
        recent original, or to somebody followed who answered the root. Of each the newest that Thunder keeps."""
        posts, society, rows = self.history.posts, self.history.society, self._recent(moment)
        viewer, by = np.full(len(rows), user), posts.author[rows]
        rows = rows[society.follows.has(viewer, by) & ~society.mutes.has(viewer, by)]
        rows = rows[(posts.repost_of[rows] >= 0) | self._is_answer(user, rows, moment)]
        rows = self._newest_of_each(rows)
        is_repost = posts.repost_of[rows] >= 0
        is_new = is_repost | ~society.has_seen(np.full(len(rows), user), posts.in_reply_to[rows])
        rows = np.unique(np.where(is_repost, posts.repost_of[rows], rows)[is_new])
        return rows[self.history.valid(np.array([user]), rows[None])[0]]

    def _is_answer(self, user: int, rows: np.ndarray, moment: float) -> np.ndarray:
        """Thunder's rule for replies."""
        posts, parents = self.history.posts, self.history.posts.in_reply_to[rows]
        above = np.maximum(parents, 0)
        is_recent = moment - posts.seconds[above] < WINDOW_HOURS * HOUR
        to_root = posts.in_reply_to[above] == posts.root[above]
        to_followed = self.history.society.follows.has(np.full(len(rows), user), posts.author[above])
        return (parents >= 0) & is_recent & ((posts.in_reply_to[above] < 0) | (to_root & to_followed))

    def _newest_of_each(self, rows: np.ndarray) -> np.ndarray:
        """The latest rows of each author, as many as Thunder gives."""
        posts = self.history.posts
        rows = rows[np.lexsort((-posts.seconds[rows], posts.author[rows]))]
        rank = np.arange(len(rows)) - np.searchsorted(posts.author[rows], posts.author[rows])
        return rows[rank < LIMITS.replies_per_author]

    def page(self, user: int, rows: np.ndarray, moment: float) -> Worth:
        """The worth of a page of at most PAGE posts, best first, read from the top."""
        rows, posts = rows[:PAGE], self.history.posts
        fatigue = self.history.fatigue(rows[None], np.ones((1, len(rows)), dtype=bool))[0]
        values, probabilities = self._values(user, rows, moment, fatigue)
        exposure = self.history.attention(np.array([user]), rows[None], length=np.inf)[0]
        share = exposure / max(exposure.sum(), 1e-9)
        return Worth(
            value=float(share @ values),
            negative=float(share @ probabilities[:, NEGATIVE].sum(axis=1)),
            favorite=float(share @ probabilities[:, FAVORITE]),
            exposure=exposure,
            authors=posts.author[rows],
            topics=self.history.society.space.topic_of[posts.subtopic[rows]],
        )

    def best(self, user: int, pool: np.ndarray, moment: float, *, knows_posts: bool = True) -> np.ndarray:
        """The oracle's page: place by place what is worth most after what stands above it, once a conversation.

        An oracle that does not know posts knows people and authors as they are, but not what makes a
        post better or worse than its author's others: about what can be learned of posts that few have seen.
        """
        values, _ = self._values(user, pool, moment, np.zeros(len(pool)), knows_posts)
        left = pool[np.argsort(-values, kind="stable")[:SHORTLIST]]
        page = np.empty(0, dtype=np.int64)
        while len(left) and len(page) < PAGE:
            values, _ = self._values(user, left, moment, self._fatigue_after(page, left), knows_posts)
            best = left[values.argmax()]
            roots = self.history.posts.root
            page, left = np.append(page, best), left[roots[left] != roots[best]]
        return page

    def _fatigue_after(self, page: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What each post would suffer from standing next on the page."""
        together = np.concatenate([np.broadcast_to(page, (len(rows), len(page))), rows[:, None]], axis=1)
        return self.history.fatigue(together, np.ones(together.shape, dtype=bool))[:, -1]

    def _values(
        self, user: int, rows: np.ndarray, moment: float, fatigue: np.ndarray, knows_posts: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Expected value of each post, and the probabilities [N, len(HEADS)] behind it."""
        history, count = self.history, len(rows)
        encounter = history.society.encounter(
            users=np.full(count, user),
            rows=rows,
            seconds=np.full(count, moment),
            fatigue=fatigue,
            mood=np.zeros(count),
        )
        if not knows_posts:
            encounter = replace(encounter, quality=history.society.people.quality[history.posts.author[rows]])
        if history.preferences is None:
            raise ValueError("nobody has read yet, so nothing is known about reactions")
        reaction = history.preferences.react(encounter)
        predicted = np.zeros((count, len(RANKED_HEADS)))
        for column, head in enumerate(HEADS):
            name = NAMES.get(head, head)
            if name in RANKED_HEADS:
                predicted[:, RANKED_HEADS.index(name)] = reaction.probabilities[:, column]
        predicted[:, RANKED_HEADS.index("dwell_time")] = np.exp(reaction.log_dwell + DWELL_SPREAD**2 / 2)
        is_boosted = (encounter.mutual > 0) & (history.posts.in_reply_to[rows] < 0)
        counts = value_model.Conditions(
            vqv=history.posts.clip_seconds[rows] > PARAMS.min_video_duration_ms / 1000.0,
            reply_boost=is_boosted * PARAMS.mutual_reply_boost,
        )
        return value_model.combined(predicted, self.weights, counts), reaction.probabilities


def gini(amounts: np.ndarray) -> float:
    """0 when all get the same, near 1 when one gets everything."""
    ordered = np.sort(np.asarray(amounts, dtype=np.float64))
    if not ordered.sum():
        return 0.0
    place = np.arange(1, len(ordered) + 1)
    return float((2 * place - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))
