"""Communities, the second retrieval model, the choice of models, and what the viewer did lately."""

from datetime import timedelta

import numpy as np
import pytest
from scipy import sparse

from accounts.models import Follow
from feed.home_mixer import communities, model_choice, served_types
from feed.home_mixer.params import Params
from feed.home_mixer.query_hydrators.author_exposure_query_hydrator import AuthorExposureQueryHydrator, exposure
from feed.home_mixer.query_hydrators.engagement_signals_query_hydrator import EngagementSignalsQueryHydrator
from feed.home_mixer.sources.phoenix_moe_source import PhoenixMOESource
from feed.home_mixer.sources.phoenix_source import PhoenixSource
from feed.home_mixer.sources.phoenix_topics_source import PhoenixTopicsSource
from feed.home_mixer.sources.simclusters_source import SimclustersSource, interleave
from feed.models import PostCommunities, ServedHistory
from posts.models import Engagement
from posts.types import EngagementKind
from ranking.types import ActionSequence, Retrieved
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock

from .batches import query

SIGNALS = np.array([[0, 1, 5]], np.int64)


# --- Communities --------------------------------------------------------------------------------


def two_worlds(rng, people=60, accounts=12):
    """Half the people follow the first half of the accounts, the others the rest."""
    half = np.arange(people)[:, None] < people // 2
    first = np.arange(accounts)[None] < accounts // 2
    return sparse.csr_matrix(((half == first) & (rng.random((people, accounts)) < 0.7)).astype(float))


def test_accounts_followed_by_the_same_people_are_one_community():
    follows = two_worlds(np.random.default_rng(1))
    known = communities.known_for(follows, 2)
    assert len(set(known[:6])) == len(set(known[6:])) == 1
    assert known[0] != known[-1]
    interests = communities.interested_in(follows, known).toarray()
    assert np.allclose(np.linalg.norm(interests, axis=1), 1.0)
    assert (interests.argmax(axis=1)[:30] == known[0]).all()
    assert (interests.argmax(axis=1)[30:] == known[-1]).all()


def test_the_largest_of_each_row():
    matrix = sparse.csr_matrix(np.array([[3.0, 1, 2], [0, 5, 0], [0, 0, 0]]))
    assert communities._largest(matrix, 2).toarray().tolist() == [[3, 0, 2], [0, 5, 0], [0, 0, 0]]


@pytest.fixture
def world(db):
    """Two circles of five people; each circle likes its own posts."""
    communities.forget()
    circles = [[UserFactory() for _ in range(5)] for _ in range(2)]
    for circle in circles:
        Follow.objects.bulk_create(
            Follow(follower=one, followee=other) for one in circle for other in circle if one is not other
        )
    posts = [[PostFactory(author=circle[0]) for _ in range(3)] for circle in circles]
    for circle, written in zip(circles, posts, strict=True):
        Engagement.objects.bulk_create(
            Engagement(user=person, post=post, author_id=post.author_id, kind=EngagementKind.FAVORITE)
            for person in circle[1:4]
            for post in written
        )
    yield circles, posts
    communities.forget()


def test_posts_belong_to_the_communities_of_those_who_liked_them(world):
    _, posts = world
    assert communities.rebuild() == 6
    assert communities.rebuild() == 6
    assert PostCommunities.objects.values("version").distinct().count() == 1
    index = communities.index(Params())
    ((near, cosines),) = index.nearest(np.array([posts[0][0].pk]), Params())
    assert set(near.tolist()) == {post.pk for post in posts[0][1:]}
    assert (cosines > 0.9).all()
    ((near, _),) = index.nearest(np.array([123]), Params())
    assert not len(near)


def test_the_source_finds_neighbours_of_what_the_viewer_liked(world):
    circles, posts = world
    communities.rebuild()
    liked, left = posts[1][0], posts[1][1]
    asked = query(
        seen_ids=[posts[1][2].pk],
        engagement_signals=np.array([[0, liked.pk, 1], [1, liked.pk, 0]], np.int64),
    )
    found = SimclustersSource().fetch(asked)
    assert found["post_id"].tolist() == [left.pk]
    assert found["author_id"].tolist() == [circles[1][0].pk]
    assert found["served_type"].tolist() == [served_types.SIMCLUSTERS]


@pytest.mark.django_db
def test_without_a_run_of_the_job_the_source_finds_nothing():
    communities.forget()
    assert SimclustersSource().fetch(query(engagement_signals=SIGNALS)).n == 0
    assert communities.rebuild() == 0


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({}, True),
        ({"params": {"enable_simclusters": False}}, False),
        ({"in_network_only": True}, False),
        ({"has_cached_posts": True}, False),
        ({"topic_ids": (1,)}, False),
        ({"engagement_signals": np.empty((0, 3), np.int64)}, False),
    ],
)
def test_when_the_community_source_runs(fields, runs):
    assert SimclustersSource().enabled(query(**{"engagement_signals": SIGNALS, **fields})) is runs


def test_seeds_take_turns_and_a_duplicate_tries_the_next():
    neighbours = [
        (np.array([10, 11, 12]), np.array([0.9, 0.8, 0.7])),
        (np.array([10, 20]), np.array([0.95, 0.6])),
        (np.array([], np.int64), np.array([])),
    ]
    nothing = np.zeros(0, np.int64)
    posts, cosines = interleave(neighbours, without=nothing, limit=10)
    assert posts.tolist() == [10, 20, 11, 12]
    assert cosines.tolist() == [0.9, 0.6, 0.8, 0.7]
    assert interleave(neighbours, without=np.array([10]), limit=2)[0].tolist() == [11, 20]


@pytest.mark.django_db
def test_signals_are_the_newest_of_each_kind(viewer):
    posts = [PostFactory() for _ in range(4)]
    now = clock.from_ms(query().now_ms)
    for days, post, kind in ((1, 0, 0), (2, 1, 0), (3, 2, 0), (1.5, 3, 10), (100, 3, 4)):
        Engagement.objects.create(
            user=viewer,
            post=posts[post],
            author_id=posts[post].author_id,
            kind=kind,
            created_at=now - timedelta(days=days),
        )
    asked = query(params={"signals_per_kind": 2})
    from dataclasses import replace

    found = EngagementSignalsQueryHydrator().hydrate(replace(asked, user_id=viewer.pk))["engagement_signals"]
    assert found[:, :2].tolist() == [[0, posts[0].pk], [10, posts[3].pk], [0, posts[1].pk]]
    assert not EngagementSignalsQueryHydrator().enabled(query(in_network_only=True))


# --- Models -------------------------------------------------------------------------------------


def sequence(length):
    zeros = np.zeros(length, np.int64)
    return ActionSequence(1, zeros, zeros, zeros, zeros.astype(np.float32), zeros, zeros)


@pytest.mark.parametrize(
    ("threshold", "length", "name"), [(0, 0, "all"), (5, 4, "new"), (5, 5, "all"), (5, None, "new")]
)
def test_short_histories_get_the_newcomers_model_when_a_threshold_is_set(threshold, length, name):
    history = None if length is None else sequence(length)
    asked = query(
        params={
            "new_user_ranker_history": threshold,
            "new_user_retrieval_history": threshold,
            "ranker_model": "all",
            "retrieval_model": "all",
            "new_user_ranker_model": "new",
            "new_user_retrieval_model": "new",
        },
        scoring_sequence=history,
        retrieval_sequence=history,
    )
    assert model_choice.ranker(asked) == model_choice.retrieval(asked) == name


@pytest.mark.django_db
def test_sources_ask_the_models_they_are_given(monkeypatch):
    asked_for = []

    def retrieve(*, k, version, topic_ids, **_):
        asked_for.append((version, k, tuple(topic_ids)))
        return Retrieved(np.zeros(0, np.int64), np.zeros(0, np.float32), "m")

    monkeypatch.setattr("ranking.services.retrieve", retrieve)
    params = {"retrieval_model": "a", "topics_model": "b", "moe_model": "c", "enable_moe": True}
    asked = query(params=params, retrieval_sequence=sequence(3), topic_ids=(7,))
    for source in (PhoenixSource(), PhoenixTopicsSource(), PhoenixMOESource()):
        source.fetch(asked)
    assert asked_for == [("a", 1000, ()), ("b", 1000, (7,)), ("c", 200, ())]


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({"params": {"enable_moe": True}}, True),
        ({}, False),
        ({"params": {"enable_moe": True}, "topic_ids": (1,)}, False),
        ({"params": {"enable_moe": True}, "topic_ids": tuple(range(1, 8))}, True),
        ({"params": {"enable_moe": True}, "in_network_only": True}, False),
        ({"params": {"enable_moe": True}, "has_cached_posts": True}, False),
    ],
)
def test_when_the_second_model_runs(fields, runs):
    assert PhoenixMOESource().enabled(query(**fields)) is runs


# --- Exposure on the pages before ---------------------------------------------------------------

NOW = clock.from_ms(query().now_ms)
PARAMS = Params(cross_request_diversity=True, cross_request_weight=1.0)


def seen(seconds_ago, *entries, request_id=1):
    return request_id, NOW - timedelta(seconds=seconds_ago), list(entries)


def entry(author, slot=0, post=9, kind="post"):
    return {"author_id": author, "slot": slot, "post_id": post, "kind": kind}


def exposed(*records, params=PARAMS):
    authors, counts = exposure(records, now=NOW, params=params)
    return dict(zip(authors.tolist(), counts.tolist(), strict=True))


def test_exposure_halves_every_minute_and_ends_after_five():
    records = [seen(0, entry(1)), seen(60, entry(2), request_id=2), seen(299, entry(3), request_id=3)]
    records += [seen(300, entry(4), request_id=4), seen(-5, entry(5), request_id=5)]
    assert exposed(*records) == pytest.approx({1: 1.0, 2: 0.5, 3: 2 ** (-299 / 60)})


def test_a_slot_counts_once_and_only_posts_count():
    entries = [entry(1), entry(1, post=8), entry(1, slot=1), entry(1, slot=2, kind="ad"), entry(0), entry(2, post=0)]
    assert exposed(seen(0, *entries)) == {1: 2.0}


def test_exposure_is_weighed_and_bounded():
    slots = [entry(1, slot=slot) for slot in range(9)]
    assert exposed(seen(0, *slots), params=Params()) == {1: 0.25 * 5}
    few = Params(cross_request_max_items=3, cross_request_weight=1.0)
    assert exposed(seen(0, *slots), params=few) == {1: 3.0}


def test_too_much_history_changes_nothing():
    assert exposure([seen(0, *[entry(1)] * 20_001)], now=NOW, params=PARAMS) is None


@pytest.mark.django_db
def test_exposure_is_read_from_served_history(viewer):
    from dataclasses import replace

    ServedHistory.objects.create(
        user=viewer, request_id=4, request_type="initial", served_at=NOW - timedelta(seconds=60), entries=[entry(8)]
    )
    asked = replace(query(params={"cross_request_diversity": True}), user_id=viewer.pk)
    authors, counts = AuthorExposureQueryHydrator().hydrate(asked)["author_exposure"]
    assert (authors.tolist(), counts.tolist()) == ([8], [0.125])
    runs = AuthorExposureQueryHydrator().enabled
    assert runs(asked)
    assert not runs(query())
    assert not runs(query(params={"cross_request_diversity": True}, in_network_only=True))
