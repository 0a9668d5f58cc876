"""Semantic ids: residual quantisation, and the codes of posts in the store."""

import numpy as np
import pytest

from feed.home_mixer import semantic_ids
from feed.home_mixer.candidate_hydrators.semantic_id_candidate_hydrator import SemanticIdCandidateHydrator
from feed.models import Codebook, SemanticId
from posts.models import PostEmbedding
from tests.factories import PostFactory
from xsocial.kernel import clock

from .batches import batch, query


@pytest.fixture
def small(monkeypatch):
    """Four codes a level, so that a few posts make a codebook."""
    monkeypatch.setattr(semantic_ids, "CODES", 4)
    monkeypatch.setattr(semantic_ids, "LEAST_POSTS", 8)
    semantic_ids.shared.cache_clear()
    yield
    semantic_ids.shared.cache_clear()


def around(centres, n, rng):
    vectors = np.repeat(centres, n, axis=0) + 0.05 * rng.normal(size=(len(centres) * n, centres.shape[1]))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_likes_share_a_prefix_and_every_level_leaves_less_over(small):
    rng = np.random.default_rng(2)
    vectors = around(np.eye(4, 16), 30, rng)
    centroids = semantic_ids.fit(vectors)
    codes = semantic_ids.encode(vectors, centroids)
    assert codes.shape == (120, 6)
    groups = codes[:, 0].reshape(4, 30)
    assert all(len(set(group)) == 1 for group in groups.tolist())
    assert len(set(groups[:, 0].tolist())) == 4
    left = vectors.copy()
    sizes = [np.linalg.norm(left, axis=1).mean()]
    for level in range(6):
        left = left - centroids[level][codes[:, level]]
        sizes.append(np.linalg.norm(left, axis=1).mean())
    assert sizes == sorted(sizes, reverse=True)


def test_each_code_is_the_nearest_centroid():
    rng = np.random.default_rng(3)
    centroids, vectors = rng.normal(size=(6, 5, 8)).astype(np.float32), rng.normal(size=(9, 8))
    first = semantic_ids.encode(vectors, centroids)[:, 0]
    distances = np.linalg.norm(vectors[:, None] - centroids[0][None], axis=2)
    assert first.tolist() == distances.argmin(axis=1).tolist()


@pytest.mark.django_db
def test_posts_are_coded_once_and_hydrated(small):
    posts = [PostFactory() for _ in range(12)]
    vectors = around(np.eye(4, 384), 3, np.random.default_rng(4))
    vectors[1] = vectors[0]
    for post, vector in zip(posts, vectors, strict=True):
        PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector.tolist())
    blank = PostFactory()
    assert semantic_ids.code_posts(now_ms=clock.now_ms()) == 12
    assert semantic_ids.code_posts(now_ms=clock.now_ms()) == 0
    assert (Codebook.objects.count(), SemanticId.objects.count()) == (1, 12)
    ids = [post.pk for post in posts[:4]] + [blank.pk]
    found = SemanticIdCandidateHydrator().hydrate(query(), batch(post_id=ids)).columns["semantic_id"]
    assert found[0].tolist() == found[1].tolist() != found[3].tolist()
    assert found[4].tolist() == [-1] * 6
    semantic_ids.refit(now_ms=clock.now_ms())
    assert semantic_ids.code_posts(now_ms=clock.now_ms()) == 12


@pytest.mark.django_db
def test_too_few_posts_make_no_codebook(small):
    assert semantic_ids.code_posts(now_ms=clock.now_ms()) == 0
    assert not Codebook.objects.exists()
