"""What people lean to by looking: the looks, what they add up to, and training like serving."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import torch

from posts import services as posts
from posts.models import Impression, Post, PostEmbedding
from posts.types import EngagementKind as Kind
from ranking import services, taste
from ranking.features import (
    AUTHOR_SCALE,
    CANDIDATE_FEATURES,
    INTEREST_SCALE,
    CandidateTable,
    HistoryColumns,
    candidate_features,
)
from ranking.phoenix.subjects import Subjects
from ranking.sequences import no_events
from ranking.taste import AUTHOR_PRIOR, INTEREST_PRIOR, PRIOR, Looks, lean, looks_of, taste_of
from ranking.training import logs, tastes
from ranking.training.dataset import build
from ranking.training.presets import xsocial_config
from ranking.types import Taste
from tests.factories import PostFactory, UserFactory
from tests.ranking.test_sequences import T0, events
from xsocial.kernel import clock

SIZE = 384
TASTES = ("similarity_looked", "similarity_engaged", "form_looked", "form_engaged")


def seen(viewer, post, at, seconds):
    Impression.objects.create(user=viewer, post=post, author_id=post.author_id, seconds=seconds, created_at=at)


def embed(post, place):
    vector = np.zeros(SIZE, np.float32)
    vector[place] = 1
    PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector)


def read(viewer, at) -> Taste:
    return services.viewer_taste(viewer.pk, before_ms=clock.to_ms(at))


class TestLooks:
    def test_what_was_seen_and_done_within_the_window_is_one_look(self):
        found = looks_of(
            events((1, 7, Kind.FAVORITE, 0, 100_000), (1, 7, Kind.DWELL, 9, 250_000), (1, 8, Kind.REPORT, 0, 5_000)),
            events((1, 7, Kind.DWELL_TIME, 2, 0), (1, 8, Kind.DWELL_TIME, 3, 0), (1, 7, Kind.DWELL_TIME, 4, 300_000)),
        )
        assert found.post_ids.tolist() == [7, 8, 7]
        assert (found.first_ms - T0).tolist() == [0, 0, 300_000]
        np.testing.assert_allclose(np.exp(found.values[0]), [9, 3, 4], rtol=1e-6)
        assert found.values[1].tolist() == [1, 0, 0]
        np.testing.assert_allclose(found.worth, np.add(np.log([9, 3, 4]), [1.5, -1.5, 0]), rtol=1e-6)

    def test_a_look_of_unknown_length_says_nothing(self):
        assert len(looks_of(events((1, 7, Kind.FAVORITE, 0, 0)), events((1, 8, Kind.DWELL_TIME, 0, 0)))) == 0
        assert len(looks_of(no_events(), no_events())) == 0


class TestLean:
    def test_people_lean_to_what_they_looked_at_longer(self):
        content = np.eye(3, dtype=np.float32)
        values = np.array([[2.0, 0.0, 1.0], [0, 0, 1]], np.float32)
        found = lean(looks(values), content, np.array([0, 1, 1]), np.array([0]), np.array([3]))
        np.testing.assert_allclose(found.content[0, 0], np.array([1, -1, 0]) / (3 + PRIOR), rtol=1e-5)
        assert found.content[0, 1].argmax() == 2
        assert found.forms[0, 0, 0] > 0 > found.forms[0, 0, 1]
        assert not found.forms[0, :, 2].any()

    def test_one_look_alone_and_no_look_say_nothing(self):
        content, values = np.eye(3, dtype=np.float32), np.array([[2.0, 0, 1], [1, 0, 0]], np.float32)
        found = lean(looks(values), content, np.zeros(3, np.int64), np.array([1, 2]), np.array([2, 2]), subjects(3))
        for part in (found.content, found.forms, found.subjects):
            assert not part.any()

    def test_what_looks_were_worth_is_told_apart_by_subject(self):
        told, content = subjects(3), np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
        worth = np.array([1.0, 3.0, 2.0, -2.0], np.float32)
        found = lean(looks(np.zeros((2, 4), np.float32), worth), content, np.zeros(4, np.int64), *edges(0, 3), told)
        seen = told(torch.from_numpy(content[:3])).numpy().astype(np.float64)
        wanted = np.linalg.solve(seen.T @ seen + INTEREST_PRIOR * np.eye(4), seen.T @ (worth[:3] - 2))
        np.testing.assert_allclose(found.subjects[0], wanted, rtol=1e-4)
        assert found.mark == told.mark != 0
        assert found.halved().subjects.dtype == np.float16

    def test_people_lean_to_authors_whose_posts_they_looked_at_longer(self):
        worth = np.array([5.0, 1.0, 1.0, 1.0, 9.0, 9.0], np.float32)
        seen = replace(looks(np.zeros((2, 6), np.float32), worth), author_ids=np.array([7, 8, 7, 8, 8, 9]))
        found = lean(seen, np.zeros((6, 3), np.float32), np.zeros(6, np.int64), *edges(0, 5))
        wanted = {8: (1 + 1 + 9 - 3 * 3.4) / (3 + AUTHOR_PRIOR), 7: (5 + 1 - 2 * 3.4) / (2 + AUTHOR_PRIOR)}
        assert found.author_ids[0, :3].tolist() == [8, 7, 0]
        np.testing.assert_allclose(found.authors[0, :3], [*wanted.values(), 0], rtol=1e-5)
        assert found.halved().author_ids.dtype == np.int64

    def test_of_many_authors_those_seen_most_are_known(self):
        count = 2 * taste.AUTHORS
        seen = replace(looks(np.zeros((2, count + 1), np.float32)), author_ids=np.append(np.arange(count) + 1, count))
        found = lean(seen, np.zeros((count + 1, 3), np.float32), np.zeros(count + 1, np.int64), *edges(0, count + 1))
        assert found.author_ids[0].tolist() == [count, *range(1, taste.AUTHORS)]

    def test_without_subjects_there_are_no_interests(self):
        empty = Subjects(xsocial_config("ranker").replace(content_size=3, num_subjects=4))
        for none in (None, empty):
            values, content = np.ones((2, 2), np.float32), np.eye(3, dtype=np.float32)[:2]
            found = lean(looks(values), content, np.zeros(2, np.int64), *edges(0, 2), none)
            assert not found.subjects.any()
            assert not found.mark


def looks(values, worth=None) -> Looks:
    """Looks of one person."""
    numbers = np.arange(values.shape[1])
    return Looks(numbers * 0, numbers, numbers // 2, numbers, values, values[0] if worth is None else worth)


def edges(low, high):
    return np.array([low]), np.array([high])


def subjects(size, count=4) -> Subjects:
    """Some subjects of contents of this size."""
    made = Subjects(xsocial_config("ranker").replace(content_size=size, num_subjects=count))
    draw = torch.Generator().manual_seed(0)
    for part in (made.basis, made.centres):
        part.copy_(torch.randn(part.shape, generator=draw) / 4)
    return made


def nobody() -> HistoryColumns:
    """A history without rows."""
    none = np.zeros((1, 0), np.int64)
    return HistoryColumns(none, none, none, np.zeros((1, 0, SIZE), np.float32), none.astype(bool))


def table(content, **columns) -> CandidateTable:
    count = len(content)
    whole = {name: np.zeros((1, count), np.int64) for name in CandidateTable.__dataclass_fields__}
    whole |= {name: np.zeros((1, count), bool) for name in ("is_author_followed", "is_reply", "has_media", "is_quote")}
    return CandidateTable(**whole | {"content": content[None]} | {name: v[None] for name, v in columns.items()})


def test_a_candidate_is_compared_with_the_taste_and_with_nothing_else():
    leaning = Taste.none(1, SIZE)
    leaning.content[0, 0, 5] = 0.01
    leaning.forms[0, 1, 2] = 0.1
    content = np.eye(SIZE, dtype=np.float32)[[5, 6]]
    both = candidate_features(nobody(), table(content, video_duration_ms=np.array([0, 9])), leaning)
    column = {name: both[0, :, CANDIDATE_FEATURES.index(name)] for name in TASTES}
    assert column["similarity_looked"].tolist() == pytest.approx([1, 0])
    assert column["form_engaged"].tolist() == pytest.approx([0, 3])
    assert not column["similarity_engaged"].any()
    assert not column["form_looked"].any()
    alone = candidate_features(nobody(), table(content[1:], video_duration_ms=np.array([9])), leaning)
    np.testing.assert_array_equal(alone[0, 0], both[0, 1])
    known = Taste.none(1, SIZE, authors=3)
    known.author_ids[0, :2], known.authors[0, :2] = (7, 8), (0.5, -0.25)
    of_authors = table(np.zeros((3, SIZE), np.float32), author_ids=np.array([8, 9, 7]))
    looked = candidate_features(nobody(), of_authors, known, names=("author_looked",))[0, :, 0]
    assert looked.tolist() == [-0.25 * AUTHOR_SCALE, 0, 0.5 * AUTHOR_SCALE]
    told, mine = subjects(SIZE), Taste.none(1, SIZE, 4, subjects(SIZE).mark)
    mine.subjects[0, 1] = 1.0
    interest = candidate_features(nobody(), table(content), mine, told)[0, :, CANDIDATE_FEATURES.index("interest")]
    np.testing.assert_allclose(interest, INTEREST_SCALE * told(torch.from_numpy(content))[:, 1].numpy(), rtol=1e-5)
    for strange in (None, subjects(SIZE, 5)):
        assert not candidate_features(nobody(), table(content), mine, strange, names=("interest",)).any()
    former = candidate_features(nobody(), table(content), leaning, names=CANDIDATE_FEATURES[:28])
    assert former.shape == (1, 2, 28)


@pytest.mark.django_db
class TestServing:
    @pytest.fixture
    def looked(self, noon):
        """A viewer looked long at posts of one subject, which he liked, and at pictures, and briefly at others."""
        viewer = UserFactory()
        with clock.fixed(noon - timedelta(hours=5)):
            written = [PostFactory() for _ in range(6)]
        Post.objects.filter(pk__in=[post.pk for post in written[4:]]).update(has_media=True)
        for number, post in enumerate(written):
            embed(post, number % 2)
            at = noon - timedelta(minutes=40 - number)
            seen(viewer, post, at, 9.0 if number % 2 or number >= 4 else 1.0)
        with clock.fixed(noon - timedelta(minutes=38)):
            posts.favorite(user=viewer, post=written[1])
        return viewer, written

    def test_it_follows_the_looks(self, looked, noon):
        viewer, _ = looked
        found = read(viewer, noon)
        assert found.content[0, 0, 1] > 0 > found.content[0, 0, 0]
        assert found.content[0, 1, 1] > 0
        assert found.forms[0, 0, 1] > 0 > found.forms[0, 0, 0]
        assert not read(UserFactory(), noon).content.any()

    def test_what_is_younger_than_a_window_does_not_count(self, looked, noon):
        viewer, written = looked
        before = read(viewer, noon)
        seen(viewer, written[0], noon - timedelta(minutes=4), 60.0)
        np.testing.assert_array_equal(read(viewer, noon).content, before.content)
        assert not np.array_equal(read(viewer, noon + timedelta(minutes=2)).content, before.content)

    def test_what_was_taken_back_is_gone(self, looked, noon):
        viewer, written = looked
        posts.unfavorite(user=viewer, post=written[1])
        found = read(viewer, noon)
        assert not found.content[0, 1].any()
        Impression.objects.filter(user=viewer).delete()
        assert not read(viewer, noon).content.any()

    def test_reading_it_takes_few_queries(self, looked, noon, django_assert_max_num_queries):
        with django_assert_max_num_queries(3):
            read(looked[0], noon)


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
@pytest.mark.parametrize("limits", [(768, 384, 384), (30, 25, 384), (768, 384, 9)], ids=["all", "cut", "newest"])
def test_training_sees_what_serving_saw(limits, monkeypatch):
    """In whole and in shards, also where limits cut the past off."""
    actions, impressions, looks = limits
    for module in (taste, tastes):
        for name, limit in (("ACTIONS", actions), ("IMPRESSIONS", impressions), ("LOOKS", looks)):
            monkeypatch.setattr(module, name, limit)
    monkeypatch.setattr(logs, "ACTIONS", actions)
    monkeypatch.setattr(logs, "IMPRESSIONS", impressions)
    monkeypatch.setattr(logs, "MATCH_LENGTH", 1)  # what histories need may be less than what tastes do
    for number, impression in enumerate(Impression.objects.order_by("created_at").select_related("post")):
        Impression.objects.filter(pk=impression.pk).update(seconds=1.0 + number * 7 % 11)
    for place, post in enumerate(
        {impression.post.repost_of or impression.post for impression in Impression.objects.all()}
    ):
        embed(post, place)
    compared, told = 0, subjects(SIZE)
    for shard in [logs.period(), *logs.shards(logs.period(), 70)]:
        read_logs = logs.read(since_ms=shard.since_ms, until_ms=shard.until_ms)
        examples = build(read_logs, feature_names=CANDIDATE_FEATURES).examples
        made = tastes.tastes(read_logs, examples.user_ids, examples.at_ms, told)
        for row in range(len(examples)):
            asked = {"before_ms": int(examples.at_ms[row]), "content": services._content, "subjects": told}
            served = taste_of(int(examples.user_ids[row]), **asked)
            np.testing.assert_allclose(served.content[0], made.content[row], atol=1e-4)
            np.testing.assert_allclose(served.forms[0], made.forms[row], atol=1e-3)
            np.testing.assert_allclose(served.subjects[0], made.subjects[row], atol=1e-3)
            np.testing.assert_array_equal(served.author_ids[0], made.author_ids[row])
            np.testing.assert_allclose(served.authors[0], made.authors[row], atol=1e-3)
            compared += bool(made.content[row].any() and made.subjects[row].any() and made.authors[row].any())
    assert compared > 80


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
def test_opinions_are_the_looks_of_a_period_at_posts_with_a_content():
    shown = list(Impression.objects.order_by("created_at").select_related("post", "post__repost_of"))
    Impression.objects.update(seconds=2.0)
    unread, *originals = dict.fromkeys(impression.post.repost_of or impression.post for impression in shown)
    for place, post in enumerate(originals):
        embed(post, place)
    pairs = [(impression.user_id, impression.post.repost_of_id or impression.post_id) for impression in shown]
    number = max(number for number in range(len(pairs)) if pairs[number] not in pairs[:number])
    read_logs = logs.read(until_ms=clock.to_ms(shown[number].created_at))
    told = tastes.opinions(read_logs)
    found = set(zip(told.reader_ids.tolist(), read_logs.posts.ids[told.posts].tolist(), strict=True))
    assert found == {pair for pair in pairs[:number] if pair[1] != unread.pk} != set(pairs[:number])
    assert (np.diff(told.reader_ids) >= 0).all()
    assert len(set(told.worth.tolist())) > 1
