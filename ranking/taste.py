"""What a person leans to, judged by how long they looked at what was shown: one builder for training and serving.

Two of five impressions lead to no action, so histories know nothing of them. Here all that somebody saw and did
of a post within 300 seconds is one look, with its longest dwell and whether it was acted upon. A request sees the
newest looks among those that began at least that long before it, which therefore are complete:

    lean = sum_i (v_i - mean of v) content_i / (n + prior)

once with the logarithm of the dwell as v and once with engaged or not, and the same per form of a post. What a
look was worth, its dwell and what followed taken together, is further told apart by the subjects of the posts:

    interest = (sum_i m_i m_i' + prior)^-1 sum_i (w_i - mean of w) m_i

which, other than a mean, knows that a post liked for one of its subjects says little for the other. And by author,
for those of whom the person saw most:

    lean = sum_i (w_i - mean of w) / (n + prior)     over the n looks at this author's posts
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posts.types import EngagementKind
from ranking.content import ContentCache
from ranking.heads import NEGATIVE, STRONG_POSITIVE, bits_of
from ranking.phoenix.inference import workers
from ranking.phoenix.subjects import Subjects
from ranking.sequences import NEWEST_ACTIONS, WINDOW_MS, Events, Newest, group, newest_actions, newest_of, read_newest
from ranking.types import FORMS, Floats, Int64s, Taste

LOOKS = 1024
# What is read for them: so many of the newest actions and impressions. A longer past is not looked into.
ACTIONS, IMPRESSIONS = NEWEST_ACTIONS, 1024
ENGAGED = STRONG_POSITIVE | bits_of([EngagementKind.CLICK])
LEAST_SECONDS = 0.3
# The means are drawn to nothing by so many looks that say nothing.
PRIOR, FORM_PRIOR, AUTHOR_PRIOR = 30.0, 8.0, 3.0
AUTHORS = 64  # of whom most was seen; more would make receipts larger for those of whom a look or two is known
# The spread of a look's worth beside that of interests, squared.
INTEREST_PRIOR = 15.0
# An engagement is worth so many units of the logarithm of the dwell, negative feedback as many less.
ENGAGEMENT_WORTH = 1.5

IMPRESSIONS_AS_EVENTS = f"""(
SELECT user_id, post_id, author_id, {int(EngagementKind.DWELL_TIME)} AS kind, seconds, surface, created_at
  FROM posts_impression)"""
_SEEN = newest_of(f"{IMPRESSIONS_AS_EVENTS} e")


@dataclass(frozen=True)
class Looks:
    """Looks of many people, ordered by (user, beginning, post)."""

    user_ids: Int64s
    post_ids: Int64s
    author_ids: Int64s
    first_ms: Int64s
    values: Floats  # [2, N]: logarithm of the dwell; 1 where it was engaged with
    worth: Floats  # [N]: both together

    def __len__(self) -> int:
        return len(self.user_ids)

    def take(self, part: slice) -> Looks:
        return Looks(*(column[..., part] for column in vars(self).values()))


def looks_of(actions: Events, seen: Events) -> Looks:
    """What was done and what was seen as looks; those of unknown length are left out."""
    rows = group(actions.joined(seen)).rows
    rows = rows.take(rows.dwell_seconds > 0)
    rows = rows.take(np.lexsort((rows.post_ids, rows.first_ms, rows.user_ids)))
    is_negative = (rows.action_bits & NEGATIVE) != 0
    is_engaged = ((rows.action_bits & ENGAGED) != 0) & ~is_negative
    log_dwell = np.log(np.maximum(rows.dwell_seconds, LEAST_SECONDS))
    values = np.stack([log_dwell, is_engaged]).astype(np.float32)
    worth = values[0] + ENGAGEMENT_WORTH * (values[1] - is_negative)
    return Looks(rows.user_ids, rows.post_ids, rows.author_ids, rows.first_ms, values, worth.astype(np.float32))


def lean(
    looks: Looks, content: Floats, forms: Int64s, low: Int64s, high: Int64s, subjects: Subjects | None = None
) -> Taste:
    """The taste of requests [R] that see the looks low..high of these [N], by contents [N, size] and forms [N]."""
    values = looks.values
    place = np.arange(values.shape[1])
    inside = ((place >= low[:, None]) & (place < high[:, None])).astype(np.float32)
    of_form = np.eye(FORMS, dtype=np.float32)[forms]
    count = inside.sum(axis=1, keepdims=True)
    size, mark = (len(subjects), subjects.mark) if subjects else (0, 0)
    found = Taste.none(len(low), content.shape[1], size, mark, AUTHORS)
    for row, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        ids, leans = _author_leans(looks.author_ids[first:last], looks.worth[first:last])
        found.author_ids[row, : len(ids)], found.authors[row, : len(ids)] = ids, leans
    if subjects and mark:
        found.subjects[:] = _interests(looks.worth, subjects(torch.from_numpy(content)), low, high)
    for kind, value in enumerate(values):
        mean = inside @ value[:, None] / np.maximum(count, 1)
        beyond = inside * (value - mean)
        weights = torch.from_numpy(beyond / (count + PRIOR))
        found.content[:, kind] = (weights @ torch.from_numpy(content)).numpy()
        found.forms[:, kind] = beyond @ of_form / (inside @ of_form + FORM_PRIOR)
    return found


def _interests(worth: Floats, memberships: Tensor, low: Int64s, high: Int64s) -> Floats:
    """Per request the ridge regression of what looks were worth on the subjects [N, S] of their posts, [R, S]."""
    size = memberships.shape[1]
    squares, products = torch.zeros(len(low), size, size), torch.zeros(len(low), size)
    for row, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if first < last:
            seen, told = memberships[first:last], torch.from_numpy(worth[first:last])
            torch.mm(seen.T, seen, out=squares[row])
            torch.mv(seen.T, told - told.mean(), out=products[row])
    return torch.linalg.solve(squares + INTEREST_PRIOR * torch.eye(size), products).numpy()


def _author_leans(author_ids: Int64s, worth: Floats) -> tuple[Int64s, Floats]:
    """The authors of whom most was seen, and how far each one's posts were worth more than others."""
    authors, of_look, count = np.unique(author_ids, return_inverse=True, return_counts=True)
    beyond = np.bincount(of_look, weights=worth - worth.mean() if len(worth) else worth, minlength=len(authors))
    most = np.argsort(-count, kind="stable")[:AUTHORS]
    return authors[most], (beyond / (count + AUTHOR_PRIOR))[most].astype(np.float32)


def taste_of(
    user_id: int,
    *,
    before_ms: int,
    content: ContentCache,
    subjects: Subjects | None = None,
    actions: Callable[[], Newest] | None = None,
) -> Taste:
    """What a person leans to at a moment, in half precision; nothing for somebody who was shown nothing.

    `actions` gives the newest ones before that moment, where somebody else is reading them meanwhile.
    """
    seen = read_newest(_SEEN, user_id, before_ms=before_ms, limit=IMPRESSIONS)
    acted = actions() if actions else newest_actions(user_id, before_ms=before_ms, limit=ACTIONS)
    looks = looks_of(acted.events, seen.events)
    high = int(np.searchsorted(looks.first_ms, before_ms - WINDOW_MS, side="right"))
    known = np.searchsorted(looks.first_ms, max(acted.known_since_ms, seen.known_since_ms))
    low = min(max(high - LOOKS, int(known)), high)
    looks = looks.take(slice(low, high))
    posts, first = np.unique(np.concatenate([acted.events.post_ids, seen.events.post_ids]), return_index=True)
    forms = np.concatenate([acted.forms, seen.forms])[first][np.searchsorted(posts, looks.post_ids)]
    edges = np.zeros(1, np.int64), np.full(1, len(looks))
    # On a thread of ours: products started on a thread of the page would each bring helpers of their own.
    return workers().submit(lean, looks, content.get(looks.post_ids), forms, *edges, subjects).result().halved()
