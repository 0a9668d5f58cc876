"""Engagements to history rows, for one person and for everybody."""

from datetime import timedelta

import numpy as np
import pytest
import torch

from posts import services as posts
from posts.models import Engagement, PostEmbedding
from posts.types import EngagementKind as Kind
from posts.types import SeenPost, Surface
from ranking import sequences, services
from ranking.features import ASKED_POSITION, MATCH_LENGTH
from ranking.heads import MERE_IMPRESSION, bits_of
from ranking.sequences import Events, aggregate, group
from ranking.training.batching import candidate_batch, context_batch
from ranking.training.dataset import build
from ranking.training.logs import read as read_logs
from ranking.training.presets import xsocial_config
from ranking.types import CandidateColumns
from tests.factories import PostFactory, UserFactory
from tests.ranking.synthetic import logs
from xsocial.kernel import clock

T0 = 1_780_000_000_000


def events(*rows: tuple) -> Events:
    """(user, post, kind, seconds, ms after T0)"""
    user, post, kind, seconds, at = zip(*rows, strict=True)
    whole = np.int64
    return Events(
        np.array(user, whole),
        np.array(post, whole),
        np.array(post, whole) + 1000,
        np.array(kind, whole),
        np.array(seconds, np.float32),
        np.zeros(len(user), whole),
        np.array(at, whole) + T0,
    )


def test_actions_on_a_post_within_the_window_are_one_row():
    rows = aggregate(
        events((1, 7, Kind.FAVORITE, 0, 0), (1, 7, Kind.DWELL, 9, 200_000), (1, 7, Kind.REPLY, 0, 299_999))
    )
    assert rows.action_bits.tolist() == [bits_of([Kind.FAVORITE, Kind.DWELL, Kind.REPLY])]
    assert rows.dwell_seconds.tolist() == [9]
    assert (rows.first_ms[0], rows.last_ms[0]) == (T0, T0 + 299_999)


def test_the_window_counts_from_the_first_action_of_a_row():
    at = [0, 200_000, 310_000, 500_000, 700_000]
    rows = aggregate(events(*((1, 7, Kind.CLICK, 0, ms) for ms in at)))
    assert (rows.first_ms - T0).tolist() == [0, 310_000, 700_000]


def test_rows_are_ordered_by_their_beginning_and_people_stay_apart():
    rows = aggregate(
        events(
            (2, 7, Kind.CLICK, 0, 5), (1, 9, Kind.CLICK, 0, 10), (1, 7, Kind.CLICK, 0, 20), (1, 9, Kind.REPLY, 0, 30)
        )
    )
    assert rows.user_ids.tolist() == [1, 1, 2]
    assert rows.post_ids.tolist() == [9, 7, 7]


def test_mere_impressions_make_no_row():
    assert len(aggregate(events((1, 7, Kind.NOT_DWELLED, 1, 0), (1, 8, Kind.DWELL_TIME, 2, 0)))) == 0


def test_no_events_give_no_rows():
    nothing = events((1, 7, Kind.CLICK, 0, 5)).take(np.empty(0, np.int64))
    assert len(aggregate(nothing)) == 0


def test_training_histories_are_those_that_serving_builds():
    """Every request's history, built in bulk, equals the rows of the actions before it alone."""
    log = logs(users=6, requests=60, posts=80, days=0.1)
    # Some rows must still be growing at a request, or the hard path is not tested.
    late = log.events.take(np.arange(len(log.events)) % 3 == 0)
    shifted = Events(*[*list(vars(late).values())[:-1], late.at_ms + 200_000])
    both = Events(
        *(np.concatenate(pair) for pair in zip(vars(log.events).values(), vars(shifted).values(), strict=True))
    )
    log = type(log)(log.impressions, both, log.posts, log.follows)
    dataset = build(log, feature_names=("log_favorites",))
    examples = dataset.examples
    assert len(dataset.rows) > len(group(both).rows), "no row was still growing at a request"
    for request in range(len(examples)):
        user, at = examples.user_ids[request], examples.at_ms[request]
        mine = both.take((both.user_ids == user) & (both.at_ms < at))
        served = sequences.sequence_of(aggregate(mine), user_id=int(user), max_length=MATCH_LENGTH)
        index = examples.history[request]
        index = index[index >= 0]
        assert dataset.rows.post_ids[index].tolist() == served.post_ids.tolist()
        assert dataset.rows.action_bits[index].tolist() == served.action_bits.tolist()
        assert dataset.rows.dwell_seconds[index].tolist() == served.dwell_seconds.tolist()


@pytest.mark.django_db
class TestActionSequence:
    def test_only_what_came_strictly_before_newest_kept_oldest_first(self, noon):
        viewer, author = UserFactory(), UserFactory()
        written = [PostFactory(author=author) for _ in range(4)]
        for minute, post in enumerate(written):
            with clock.fixed(noon + timedelta(minutes=10 * minute)):
                posts.favorite(user=viewer, post=post)
        before = clock.to_ms(noon + timedelta(minutes=30))
        sequence = sequences.action_sequence(viewer.pk, before_ms=before, max_length=2)
        assert sequence.post_ids.tolist() == [written[1].pk, written[2].pk]
        assert sequence.author_ids.tolist() == [author.pk] * 2

    def test_a_small_limit_fetches_on_until_the_rows_suffice(self, noon, monkeypatch):
        monkeypatch.setattr(sequences, "ACTIONS_PER_ROW", 1)
        monkeypatch.setattr(sequences, "NEWEST_ACTIONS", 1)
        viewer = UserFactory()
        written = [PostFactory() for _ in range(6)]
        for minute, post in enumerate(written):
            with clock.fixed(noon + timedelta(minutes=10 * minute)):
                posts.favorite(user=viewer, post=post)
                posts.record_engagement(user=viewer, post_id=post.pk, kind=Kind.CLICK, surface=1)
        sequence = sequences.action_sequence(viewer.pk, before_ms=clock.to_ms(noon + timedelta(hours=2)), max_length=3)
        assert sequence.post_ids.tolist() == [post.pk for post in written[3:]]
        assert set(sequence.action_bits.tolist()) == {bits_of([Kind.FAVORITE, Kind.CLICK])}

    def test_what_was_taken_back_and_own_posts_are_absent(self, noon):
        viewer = UserFactory()
        mine, theirs = PostFactory(author=viewer), PostFactory()
        posts.favorite(user=viewer, post=mine)
        posts.favorite(user=viewer, post=theirs)
        later = clock.to_ms(noon + timedelta(minutes=1))
        assert sequences.action_sequence(viewer.pk, before_ms=later, max_length=9).post_ids.tolist() == [theirs.pk]
        posts.unfavorite(user=viewer, post=theirs)
        assert len(sequences.action_sequence(viewer.pk, before_ms=later, max_length=9)) == 0


@pytest.mark.django_db
class TestReplay:
    """A request that was served is built again from the logs."""

    @pytest.fixture
    def page(self, noon):
        """A viewer acts on six posts for an hour; then three more are shown to him."""
        viewer = UserFactory()
        with clock.fixed(noon - timedelta(hours=5)):
            written = [PostFactory(text=f"post {number}") for number in range(9)]
            for place, post in enumerate(written):
                vector = np.zeros(384, np.float32)
                vector[place % 4] = 1
                PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector)
        for minute, post in enumerate(written[:6]):
            with clock.fixed(noon - timedelta(minutes=60 - 9 * minute)):
                posts.favorite(user=viewer, post=post)
                posts.record_engagement(user=viewer, post_id=post.pk, kind=Kind.DWELL, surface=1, seconds=7.0)
        return viewer, written

    def served(self, viewer, shown, now_ms):
        """Model input as the serving path makes it."""
        config = xsocial_config("ranker", history=8)
        sequence = sequences.action_sequence(viewer.pk, before_ms=now_ms, max_length=128)
        columns = CandidateColumns(
            post_ids=np.array([post.pk for post in shown]),
            author_ids=np.array([post.author_id for post in shown]),
            created_ms=np.array([clock.to_ms(post.created_at) for post in shown]),
            surface=1,
            favorites=np.array([post.engagements.filter(kind=Kind.FAVORITE).count() for post in shown]),
        )
        context = services._context(viewer.pk, sequence.newest(config.history_seq_len), config)
        history = services._history(sequence.newest(MATCH_LENGTH))
        return (context, services._candidates(columns, history, config, now_ms)), config

    def replayed(self, config):
        """Model input as training makes it from what was logged."""
        dataset = build(read_logs(), feature_names=config.candidate_feature_names)
        block = dataset.examples.take(slice(0, 1)).trimmed()
        return context_batch(dataset, block, config), candidate_batch(dataset, block)

    def test_the_inputs_are_the_same(self, page, noon):
        viewer, written = page
        shown, now_ms = written[6:], clock.to_ms(noon)
        (context, candidates), config = self.served(viewer, shown, now_ms)
        seen = [SeenPost(post.pk, Surface.HOME_FOR_YOU, position=ASKED_POSITION, request_id=5) for post in shown]
        posts.record_impressions(user=viewer, impressions=seen)
        logged_context, logged_candidates = self.replayed(config)
        for name, value in vars(logged_context).items():
            if value is not None:
                got = getattr(context, name)
                got = got[:, : value.shape[1]] if value.ndim > 1 else got
                torch.testing.assert_close(got, value, msg=lambda text, name=name: f"{name}: {text}")
        order = torch.argsort(logged_candidates.post_ids[0])
        for name, value in vars(logged_candidates).items():
            got, wanted = getattr(candidates, name)[0], value[0][order]
            torch.testing.assert_close(got, wanted, msg=lambda text, name=name: f"{name}: {text}")

    def test_a_deleted_interaction_disappears_from_both(self, page, noon):
        viewer, written = page
        posts.unfavorite(user=viewer, post=written[2])
        Engagement.objects.filter(user=viewer, post=written[2]).delete()
        (context, _), config = self.served(viewer, written[6:], clock.to_ms(noon))
        posts.record_impressions(user=viewer, impressions=[SeenPost(written[6].pk, Surface.HOME_FOR_YOU)])
        logged_context, _ = self.replayed(config)
        expected = [post.pk for post in written[:6] if post != written[2]]
        assert context.post_ids[0, :5].tolist() == expected
        assert logged_context.post_ids[0].tolist() == expected


def test_the_version_changes_with_any_action():
    rows = aggregate(events((1, 7, Kind.FAVORITE, 0, 0)))
    first = sequences.sequence_of(rows, user_id=1, max_length=5)
    more = aggregate(events((1, 7, Kind.FAVORITE, 0, 0), (1, 7, Kind.CLICK, 0, 5)))
    assert first.version() != sequences.sequence_of(more, user_id=1, max_length=5).version()


def test_mere_impressions_are_named_by_kind():
    assert bits_of([Kind.NOT_DWELLED]) & MERE_IMPRESSION
    assert not bits_of([Kind.DWELL]) & MERE_IMPRESSION
