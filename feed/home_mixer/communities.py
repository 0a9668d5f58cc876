"""Communities of people who follow the same accounts, and posts by the communities that engage with them.

In the manner of SimClusters: accounts that many follow are grouped by who follows them; a person is
interested in the groups of whom they follow; a post belongs to the groups of those who engaged with it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
from django.db import connection, transaction
from scipy import sparse

from feed.home_mixer.params import Params
from feed.models import PostCommunities
from posts.types import EngagementKind
from xsocial.kernel import clock, ids, sql

PER_COMMUNITY = 12  # known accounts to a community, on average
MOST_COMMUNITIES = 1_000
LEAST_FOLLOWERS = 2  # an account fewer follow is known to nobody
PER_PERSON = 10  # communities kept of a person
PER_POST = 50  # communities kept of a post
LEAST_ENGAGED = 2
HALF_LIFE_H = 48.0
SEED_DAYS = 90
DIMENSIONS = 48
KINDS = [
    int(kind)
    for kind in (EngagementKind.FAVORITE, EngagementKind.REPOST, EngagementKind.REPLY, EngagementKind.BOOKMARK)
]

FOLLOWS_SQL = "SELECT follower_id, followee_id FROM accounts_follow"
ENGAGED_SQL = """
SELECT coalesce(p.repost_of_id, e.post_id), e.user_id, (extract(epoch FROM e.created_at) * 1000)::bigint
  FROM posts_engagement e JOIN posts_post p ON p.id = e.post_id
 WHERE e.kind = ANY(%s) AND e.created_at >= %s AND p.deleted_at IS NULL AND p.visibility = 'public'
"""
STORE_SQL = """
INSERT INTO feed_postcommunities (post_id, communities, weights, version)
SELECT u.post_id, u.communities, u.weights, %s
  FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS u(post_id, communities, weights)
  JOIN posts_post p ON p.id = u.post_id
"""
BATCH = 5_000
KNOWN_SEEDS = 20_000  # of which the neighbours are kept: some kilobytes each

_ROWS = f"""
SELECT {sql.packed("post_id")}, {sql.packed("length(communities) / 2")},
       string_agg(communities, ''), string_agg(weights, '')
  FROM feed_postcommunities WHERE version = %(version)s
"""


def known_for(follows: sparse.csr_matrix, communities: int, *, seed: int = 0) -> np.ndarray:
    """The community of each account [producers] from a consumers x producers matrix of ones.

    Accounts are alike when the same people follow them: columns of unit length, reduced, then k-means.
    """
    # Here: it takes seconds to load, and web processes only look communities up.
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.utils.extmath import randomized_svd

    sizes = np.sqrt(np.asarray(follows.sum(axis=0)).ravel())
    normed = follows @ sparse.diags(1.0 / np.maximum(sizes, 1.0))
    rank = min(DIMENSIONS, min(follows.shape) - 1)
    _, strengths, right = randomized_svd(normed, n_components=max(rank, 1), random_state=seed)
    points = (strengths[:, None] * right).T
    points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    means = MiniBatchKMeans(min(communities, len(points)), random_state=seed, n_init=3, batch_size=2_048)
    return means.fit_predict(points)


def interested_in(follows: sparse.csr_matrix, community_of: np.ndarray) -> sparse.csr_matrix:
    """Consumers x communities, rows of unit length: how many of a community's accounts somebody follows.

    A large community says less than a small one, so each counts by the root of its size.
    """
    count = int(community_of.max()) + 1 if len(community_of) else 1
    sizes = np.bincount(community_of, minlength=count)
    values = 1.0 / np.sqrt(sizes[community_of])
    member = sparse.csr_matrix((values, (np.arange(len(community_of)), community_of)), shape=(len(community_of), count))
    return _unit_rows(_largest(follows @ member, PER_PERSON))


def rebuild(*, seed: int = 0) -> int:
    """Work communities and posts out anew; returns how many posts have any. Replaces the last run at once."""
    version = ids.next_id()
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWS_SQL)
        edges = np.array(cursor.fetchall(), np.int64).reshape(-1, 2)
        since = clock.from_ms(clock.now_ms() - SEED_DAYS * 86_400_000)
        cursor.execute(ENGAGED_SQL, [KINDS, since])
        engaged = np.array(cursor.fetchall(), np.int64).reshape(-1, 3)
    people, producers, follows = _matrix(edges)
    if len(producers) < 2 or len(people) < 2 or not len(engaged):
        return 0
    number = int(np.clip(len(producers) // PER_COMMUNITY, 2, MOST_COMMUNITIES))
    interests = interested_in(follows, known_for(follows, number, seed=seed))
    post_ids, vectors = _posts(engaged, people, interests)
    _store(version, post_ids, vectors)
    return len(post_ids)


def _matrix(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, sparse.csr_matrix]:
    """Consumers, producers with enough followers, and who follows whom."""
    followees, counts = np.unique(edges[:, 1], return_counts=True)
    producers = followees[counts >= LEAST_FOLLOWERS]
    edges = edges[np.isin(edges[:, 1], producers)]
    people, rows = np.unique(edges[:, 0], return_inverse=True)
    columns = np.searchsorted(producers, edges[:, 1])
    shape = (len(people), len(producers))
    return people, producers, sparse.csr_matrix((np.ones(len(edges)), (rows, columns)), shape=shape)


def _posts(
    engaged: np.ndarray, people: np.ndarray, interests: sparse.csr_matrix
) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Posts x communities, rows of unit length: whom a post reached, later engagements counting more."""
    place = np.minimum(np.searchsorted(people, engaged[:, 1]), len(people) - 1)
    engaged, place = engaged[people[place] == engaged[:, 1]], place[people[place] == engaged[:, 1]]
    post_ids, rows = np.unique(engaged[:, 0], return_inverse=True)
    age_h = (engaged[:, 2].max(initial=0) - engaged[:, 2]) / 3_600_000
    weights = np.exp2(-age_h / HALF_LIFE_H)
    who = sparse.csr_matrix((weights, (rows, place)), shape=(len(post_ids), len(people)))
    enough = np.bincount(rows, minlength=len(post_ids)) >= LEAST_ENGAGED
    return post_ids[enough], _unit_rows(_largest((who @ interests).tocsr()[enough], PER_POST))


@transaction.atomic
def _store(version: int, post_ids: np.ndarray, vectors: sparse.csr_matrix) -> None:
    PostCommunities.objects.all()._raw_delete("default")
    bounds, numbers, weights = vectors.indptr, vectors.indices.astype("<i2"), vectors.data.astype("<f4")
    for first in range(0, len(post_ids), BATCH):
        rows = range(first, min(first + BATCH, len(post_ids)))
        parts = [
            (numbers[bounds[row] : bounds[row + 1]].tobytes(), weights[bounds[row] : bounds[row + 1]].tobytes())
            for row in rows
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                STORE_SQL,
                [version, post_ids[rows.start : rows.stop].tolist(), *map(list, zip(*parts, strict=True))],
            )


def _largest(matrix: sparse.spmatrix, count: int) -> sparse.csr_matrix:
    """Each row's largest values only."""
    matrix = sparse.csr_matrix(matrix)
    lengths = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((-matrix.data, row))
    keep = order[(np.arange(len(order)) - np.repeat(matrix.indptr[:-1], lengths)) < count]
    return sparse.csr_matrix((matrix.data[keep], (row[keep], matrix.indices[keep])), shape=matrix.shape)


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1.0 / np.maximum(lengths, 1e-9)) @ matrix).tocsr()


# --- Serving ------------------------------------------------------------------------------------


Neighbours = tuple[np.ndarray, np.ndarray]  # posts and their cosines, best first


@dataclass(frozen=True)
class Index:
    """Posts x communities of one run, rows of unit length, only each community's best recent posts."""

    version: int
    post_ids: np.ndarray
    vectors: sparse.csr_matrix
    since: float  # monotonic seconds of reading
    _known: dict[tuple[float, ...], Neighbours] = field(default_factory=dict, repr=False)

    def nearest(self, seeds: np.ndarray, params: Params) -> list[Neighbours]:
        """For each seed its nearest posts and their cosines, best first; a post is no neighbour of itself.

        Nothing of a run changes, so what was found for a seed is kept.
        """
        like = (params.simclusters_clusters, params.simclusters_min_score, params.simclusters_per_seed)
        found = {seed: self._known.get((seed, *like)) for seed in seeds.tolist()}
        new = [seed for seed, neighbours in found.items() if neighbours is None]
        if new:
            found |= zip(new, self._found(np.array(new, np.int64), params), strict=True)
            if len(self._known) >= KNOWN_SEEDS:
                self._known.clear()
            self._known.update(((seed, *like), found[seed]) for seed in new)
        return [found[seed] for seed in seeds.tolist()]

    def _found(self, seeds: np.ndarray, params: Params) -> list[Neighbours]:
        found, matrix = _vectors(seeds, self.version, self.vectors.shape[1])
        cosines = (_largest(matrix, params.simclusters_clusters) @ self.vectors.T).tocsr()
        cosines.data[cosines.data <= params.simclusters_min_score] = 0.0
        cosines.eliminate_zeros()
        row_of = {post_id: row for row, post_id in enumerate(found.tolist())}
        return [self._neighbours(cosines, row_of.get(seed), seed, params) for seed in seeds.tolist()]

    def _neighbours(self, cosines: sparse.csr_matrix, row: int | None, seed: int, params: Params) -> Neighbours:
        if row is None:
            return np.zeros(0, np.int64), np.zeros(0)
        part = slice(cosines.indptr[row], cosines.indptr[row + 1])
        post_ids, scores = self.post_ids[cosines.indices[part]], cosines.data[part]
        order = np.lexsort((-post_ids, -scores))
        order = order[post_ids[order] != seed][: params.simclusters_per_seed]
        return post_ids[order], scores[order]


_lock = threading.Lock()
_index: Index | None = None


def index(params: Params) -> Index | None:
    """The index of this process, read anew when it is older than ten minutes; None before the first run."""
    global _index
    with _lock:
        if _index is None or time.monotonic() - _index.since > params.simclusters_cache_s:
            _index = _read_index(params)
        return _index


def forget() -> None:
    """Read the index again at the next use."""
    global _index
    _index = None


def _read_index(params: Params) -> Index | None:
    newest = PostCommunities.objects.order_by("-version").values_list("version", flat=True).first()
    if newest is None:
        return None
    oldest = ids.id_at(clock.now_ms() - 3_600_000 * params.simclusters_max_age_h)
    post_ids, matrix = _read(f"{_ROWS} AND post_id >= %(oldest)s", {"version": newest, "oldest": oldest})
    best = _best_of_each(matrix, params.simclusters_per_cluster)
    return Index(newest, post_ids[best], matrix[best], time.monotonic())


def _best_of_each(matrix: sparse.csr_matrix, count: int) -> np.ndarray:
    """Rows that are among the heaviest of at least one community."""
    transposed = _largest(matrix.T, count)
    return np.unique(transposed.indices)


def _vectors(post_ids: np.ndarray, version: int, width: int) -> tuple[np.ndarray, sparse.csr_matrix]:
    wanted = {"version": version, "ids": sql.bigints(post_ids)}
    found, matrix = _read(f"{_ROWS} AND post_id = ANY(%(ids)s::bigint[])", wanted)
    matrix.resize((len(found), width))
    return found, matrix


def _read(query: str, params: dict[str, object]) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Posts x communities of these rows."""
    packed_ids, packed_lengths, packed_numbers, packed_weights = sql.row(query, params) or (None,) * 4
    numbers = np.frombuffer(packed_numbers or b"", "<i2").astype(np.int64)
    weights = np.frombuffer(packed_weights or b"", "<f4").astype(np.float64)
    post_ids = sql.unpacked(packed_ids)
    bounds = np.concatenate([[0], np.cumsum(sql.unpacked(packed_lengths))])
    width = int(numbers.max()) + 1 if len(numbers) else 1
    return post_ids, sparse.csr_matrix((weights, numbers, bounds), shape=(len(post_ids), width))
