"""Loads run again: identical a day later, different under other weights, refused when they cannot be."""

import json
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from accounts import services as accounts
from feed import services, weights
from feed.home_mixer import bloom
from feed.home_mixer.tuning import Tuning
from feed.models import FeatureParameter, LoadSettings
from feed.receipts import codec, replay, sampling, store
from feed.receipts.tape import BY_VERDICT
from feed.types import FeedRequest
from posts import services as posts
from posts.models import Impression, Post, PostEmbedding, PostTopic
from ranking.models import ModelVersion
from ranking.types import ActionSequence
from tests.factories import PostFactory, TopicFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(viewer, friend, models, settings):
    """A page with something for many filters, strangers, and an order that exploration touches."""
    settings.GROX_HOLD_UNSCREENED = False
    FeatureParameter.objects.create(name="exploration_share", value=0.5)
    written = [PostFactory(author=friend, text=f"Note {n}") for n in range(6)]
    PostFactory(author=friend, text="On spoilers again")
    accounts.add_muted_keyword(user=viewer, phrase="spoilers")
    posts.repost(user=friend, post=PostFactory(author=UserFactory()))
    accounts.set_preferences(user=viewer, languages=["en"])
    strangers = [PostFactory(author=UserFactory(), language=code).pk for code in ("en", "de", "", "en", "", "en", "")]
    models.found = strangers
    accounts.block(blocker=viewer, blocked=Post.objects.get(pk=strangers[0]).author)
    bloom.add(viewer.pk, [written[0].pk])
    return viewer


def a_day_later():
    return clock.fixed(clock.now() + timedelta(days=1))


def test_a_load_is_identical_a_day_later_whatever_the_world_did_since(world, friend, models):
    page = services.for_you(world)
    assert {
        "MutedKeywordFilter",
        "PreviouslySeenPostsFilter",
        "AuthorSocialgraphFilter",
        "LanguageFilter",
    } <= page.dropped.keys()
    world.muted_keywords.all().delete()
    accounts.unfollow(follower=world, followee=friend)
    posts.delete_post(actor=friend, post=Post.objects.filter(author=friend).last())
    FeatureParameter.objects.create(name="oon_weight_factor", value=0.1)
    weights.activate(weight_set=weights.create(name="Later", weights={"reply": 30.0}), reason="a test")
    models.found = []
    with a_day_later():
        found = services.replay(page.request_id)
    assert found.is_identical, list(found.moved())
    assert found.largest_score_difference == 0.0
    assert len(found.replayed) == len(page.items) > 10


def test_what_the_viewer_leaned_to_is_kept(world, friend, models):
    for number in range(4):
        post, at = PostFactory(author=friend), clock.now() - timedelta(minutes=20)
        vector = np.eye(384, dtype=np.float32)[number % 2]
        PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector)
        seconds = 9.0 if number % 2 else 1.0
        Impression.objects.create(user=world, post=post, author_id=friend.pk, seconds=seconds, created_at=at)
    page = services.for_you(world)
    Impression.objects.all().delete()
    PostEmbedding.objects.all().delete()
    with a_day_later():
        assert services.replay(page.request_id).is_identical
    served, replayed = models.tastes
    assert served.content[0, 0, 1] > 0 > served.content[0, 0, 0]
    np.testing.assert_array_equal(replayed.content, served.content)
    np.testing.assert_array_equal(replayed.forms, served.forms)
    assert replayed.content.dtype == np.float16


def test_a_history_that_decides_the_formula_is_kept_with_candidates_from_the_cache(world):
    parameters = {"value_mode": "gated_dwell_regret", "cached_posts_threshold": 3, "result_size": 4}
    for name, value in parameters.items():
        FeatureParameter.objects.create(name=name, value=value)
    posts.favorite(user=world, post=PostFactory())
    services.for_you(world)
    page = services.for_you(world)
    assert page.is_cached
    assert len(store.tape_of(store.any_row(page.request_id)).query["scoring_sequence"]) == 1
    assert services.replay(page.request_id).is_identical


def test_filters_answer_again_from_what_they_read_then(world, friend):
    """Impression filters and the tree of topics are read no more, and the filters still run."""
    sports, music = TopicFactory(name="Sports"), TopicFactory(name="Music")
    football = TopicFactory(name="Football", parent=sports)
    for topic in (sports, music, football):
        PostTopic.objects.create(post=PostFactory(author=friend), topic=topic, confidence=0.9)
    seen = PostTopic.objects.create(post=PostFactory(author=friend), topic=sports, confidence=0.9).post
    bloom.add(world.pk, [seen.pk])
    page = services.for_you(world, request=FeedRequest(topic_ids=(sports.pk,)))
    assert {"PreviouslySeenPostsFilter", "TopicIdsFilter"} <= page.dropped.keys()
    bloom.add(world.pk, [item.post_id for item in page.items if item.post_id])
    PostTopic.objects.all().delete()
    football.delete()
    assert services.replay(page.request_id).is_identical
    tape = store.tape_of(store.any_row(page.request_id))
    assert BY_VERDICT == ("MutedKeywordFilter",)
    assert seen.pk in tape.query["bloom_filters"][0].ids


def test_a_spaced_slate_is_spaced_again(world, friend, monkeypatch):
    codes = {"first": [1, 2, 3, 4, 5, 6], "then": [9, 9, 9, 9, 9, 9]}
    said = ["first"]
    monkeypatch.setattr(
        "feed.home_mixer.semantic_ids.CodeCache.get",
        lambda self, posts: np.array([codes[said[0]] if n % 3 else [n, 0, 0, 0, 0, 0] for n in range(len(posts))]),
    )
    FeatureParameter.objects.create(name="slate_diversity", value=1)
    page = services.for_you(world)
    said[0] = "then"
    assert services.replay(page.request_id).is_identical


def test_content_that_changed_since_is_named(world, monkeypatch):
    vectors = {}
    monkeypatch.setattr(
        "ranking.services.content_vectors",
        lambda posts: np.array([vectors.get(post, [float(post % 97), 1.0]) for post in posts.tolist()], np.float32),
    )
    page = services.for_you(world)
    assert services.replay(page.request_id).changed == ()
    post = next(item.post_id for item in page.items if item.kind == "post")
    vectors[post] = [0.5, 0.5]
    assert services.replay(page.request_id).changed == (str(post),)


def test_a_load_from_cached_candidates_is_replayed_with_its_predictions(world, models):
    FeatureParameter.objects.create(name="cached_posts_threshold", value=1)
    FeatureParameter.objects.create(name="served_window_s", value=0)
    services.for_you(world)
    page = services.for_you(world)
    assert page.is_cached
    models.broken = True
    assert services.replay(page.request_id).is_identical


def test_a_load_whose_ranker_failed_is_replayed_by_time(world, models):
    models.broken = True
    page = services.for_you(world)
    assert page.model == ""
    models.broken = False
    assert services.replay(page.request_id).is_identical


def test_other_weights_give_another_order_and_the_difference_is_told(world):
    page = services.for_you(world)
    other = weights.create(name="Contrary", weights={"favorite": 0.0, "reply": 0.0, "repost": 0.0, "report": -1000.0})
    found = services.replay(page.request_id, weight_set=other.pk)
    assert (found.weight_set, found.is_identical) == (other.pk, False)
    for moved in found.moved():
        assert moved.served != moved.replayed
    assert found.largest_score_difference > 0
    with pytest.raises(NotFound, match="weight set"):
        services.replay(page.request_id, weight_set=9_999)


def test_posts_that_nobody_had_judged_are_judged_when_another_order_brings_them(world):
    for name in ("top_k", "result_size"):
        FeatureParameter.objects.create(name=name, value=4)
    row = store.any_row(services.for_you(world).request_id)
    # Strangers last, then strangers first: one of the two differs from what was served.
    found = [replay.replay(row, services.pipelines(), tuning=Tuning({"strangers": times})) for times in (0.0, 3.0)]
    assert [replayed.broken for replayed in found] == [(), ()]
    assert any(moved.served is None and moved.kind == "post" for replayed in found for moved in replayed.moved())


def test_a_model_whose_files_changed_is_refused(world):
    page = services.for_you(world)
    LoadSettings.objects.update(body=LoadSettings.objects.get().body | {"model_hash": "another"})
    with pytest.raises(NotFound, match="not registered"):
        services.replay(page.request_id)


@pytest.mark.parametrize("name", ["no-such-model", "a-retrieval-model"])
def test_another_model_must_be_a_ranker_that_is_registered(world, name):
    ModelVersion.objects.create(
        name="a-retrieval-model", kind=ModelVersion.Kind.RETRIEVAL, config={}, artefact_hash="0" * 64
    )
    page = services.for_you(world)
    with pytest.raises(NotFound, match=f"no ranker called {name}"):
        services.replay(page.request_id, model=name)


def test_random_loads_leave_no_remainder_and_replay(world, friend, models):
    report = sampling.replay_random(8, seed=3)
    assert (report.replayed, report.identical, report.remainder) == (8, 8, 0)
    assert report.largest_bytes >= report.median_bytes > 0


# --- The command --------------------------------------------------------------------------------


def run(*args):
    out = StringIO()
    call_command("feed", *args, stdout=out)
    return out.getvalue()


def test_the_command_compares_and_says_when_loads_differ(world, models):
    page = services.for_you(world)
    assert "identical" in run("--replay", str(page.request_id))
    (look,) = services.looks(world, page.request_id)
    assert (look.actor, look.reason) == (None, "replayed at the command line")
    told = json.loads(run("--replay", str(page.request_id), "--weight-set", "0", "--json"))
    assert (told["identical"], told["moved"]) == (True, [])
    models.liking = {post_id: 1 - liking for post_id, liking in models.liking.items()}
    with pytest.raises(SystemExit) as ended:
        run("--replay", str(page.request_id))
    assert ended.value.code == 1


def test_the_command_refuses_what_cannot_be_replayed(world):
    page = services.for_you(world)
    for args in (
        ["--replay", "1"],
        ["--replay", str(page.request_id + 1)],
        ["--replay", str(page.request_id), "--weight-set", "9999"],
    ):
        with pytest.raises(CommandError) as refused:
            run(*args)
        assert refused.value.returncode == 2


def test_a_load_without_any_posts_has_nothing_to_replay(viewer):
    page = services.for_you(viewer, request=FeedRequest())
    assert services.replay(page.request_id).is_identical


# --- The packed form ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        np.array([], np.int64),
        np.array([5, 3, -(2**62), 2**62, 0], np.int64),
        np.repeat(np.array([2**60, 7], np.int64), 50),
        np.array([np.nan, 1.5, 0.1]),
        np.array([[0.1, np.nan], [1e-300, 2.0], [3.0, 4.0]]),
        np.array([True, False, True]),
        np.array([-1, 0, 1], np.int8),
        np.array([0.1, -2.5, np.nan], np.float16),
    ],
)
def test_columns_come_back_equal(column):
    again = codec.unpack(codec.pack({"column": column}))["column"]
    assert again.dtype == column.dtype
    assert np.array_equal(again, column, equal_nan=column.dtype.kind == "f")


def test_values_come_back_equal():
    ragged = np.empty(2, object)
    ragged[:] = [(1, 2), None]
    sequence = ActionSequence(7, *(np.arange(3) for _ in range(6)))
    value = {"a": (1, 2.5, "x"), "b": {3, 1}, "c": ragged, "d": sequence, "e": b"raw", "f": None}
    again = codec.unpack(codec.pack(value))
    assert again["c"].tolist() == [(1, 2), None]
    assert again["d"].version() == sequence.version()
    assert {k: again[k] for k in "abef"} == {k: value[k] for k in "abef"}
    with pytest.raises(ValueError, match="not a packed value"):
        codec.unpack(b"something else")
    with pytest.raises(TypeError):
        codec.pack(object())
