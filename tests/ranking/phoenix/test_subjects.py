"""Subjects: what tells readers or authors apart, found in contents that are mostly something else."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ranking.phoenix.artifacts import build_model
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.config import ConfigError
from ranking.phoenix.subjects import LEAST_LOOKS, LEAST_READERS, Opinions, Subjects, subjects_of
from ranking.training.optimise import Optimisers
from ranking.training.presets import TrainingSettings
from tests.ranking.phoenix.small import small_config, upstream_config

SIZE, FEW = 24, 5
NOBODY = Opinions(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def config(**changes):
    return small_config("ranker", **{"content_size": SIZE, "num_subjects": FEW} | changes)


@pytest.fixture(scope="module")
def written():
    """400 posts: their contents, authors, each of whom keeps to one of five subjects, and the subjects."""
    rng = np.random.default_rng(0)
    author = rng.integers(0, 40, 400)
    about, manners = rng.normal(size=(FEW, SIZE)), rng.normal(size=(4, SIZE))
    content = 0.5 * about[author % FEW] + 2 * manners[rng.integers(0, 4, 400)] + 0.2 * rng.normal(size=(400, SIZE))
    return content.astype(np.float32), author, author % FEW


@pytest.fixture(scope="module")
def found(written):
    made = Subjects(config())
    made.find(*written[:2], NOBODY)
    return made


def test_posts_about_one_subject_are_alike_whatever_their_manner(found, written):
    content, _, subject = written
    told = found(torch.from_numpy(content)).numpy()
    same = subject[:, None] == subject
    plain = F.normalize(torch.from_numpy(content - content.mean(0)), dim=-1).numpy()
    assert (told @ told.T)[same].mean() > 0.9 > 0.3 > (told @ told.T)[~same].mean()
    assert (plain @ plain.T)[same].mean() < 0.3


def opinions(subject, readers, looks, seed=1) -> Opinions:
    """Each reader cares for one of the subjects, and looks at posts at random."""
    rng = np.random.default_rng(seed)
    reader = np.repeat(np.arange(1, readers + 1), looks)
    post = rng.integers(0, len(subject), len(reader))
    worth = 0.5 * (subject[post] == reader % FEW) + 0.5 * rng.normal(size=len(reader))
    return Opinions(reader, post, worth.astype(np.float32))


def apart(made, content, subject) -> float:
    """How much more alike posts about one subject are than those about two."""
    told = made(torch.from_numpy(content)).numpy()
    same = subject[:, None] == subject
    return float((told @ told.T)[same].mean() - (told @ told.T)[~same].mean())


def test_readers_tell_subjects_apart_where_authors_do_not(written):
    content, _, subject = written
    anybody = np.random.default_rng(2).integers(0, 40, len(subject))
    by_readers, by_authors = Subjects(config()), Subjects(config())
    by_readers.find(content, anybody, opinions(subject, LEAST_READERS, 150))
    by_authors.find(content, anybody, NOBODY)
    assert apart(by_readers, content, subject) > 0.9 > 0.5 > apart(by_authors, content, subject)


@pytest.mark.parametrize(("readers", "looks"), [(LEAST_READERS - 1, 150), (LEAST_READERS, LEAST_LOOKS - 1)])
def test_few_readers_or_looks_are_not_listened_to(readers, looks, written, found):
    made = Subjects(config())
    made.find(*written[:2], opinions(written[2], readers, looks))
    assert made.mark == found.mark


def test_readers_to_whom_all_is_worth_the_same_tell_nothing(written, found):
    heard = opinions(written[2], LEAST_READERS, LEAST_LOOKS)
    made = Subjects(config())
    made.find(*written[:2], Opinions(heard.reader_ids, heard.posts, np.ones_like(heard.worth)))
    assert made.mark == found.mark


@pytest.mark.parametrize("heard", [True, False])
def test_authors_of_a_single_post_each_leave_nothing_undefined(heard, written):
    content, _, subject = written
    made = Subjects(config())
    made.find(content, np.arange(len(content)), opinions(subject, LEAST_READERS, 150) if heard else NOBODY)
    assert made.is_found
    torch.testing.assert_close(made(torch.from_numpy(content)).norm(dim=-1), torch.ones(len(content)))


def test_what_readers_prefer_by_chance_is_no_preference(written):
    content, author, subject = written
    heard = opinions(subject, LEAST_READERS, 150)
    by_chance = np.random.default_rng(3).permutation(heard.worth)
    made = Subjects(config())
    made.find(content, author, Opinions(heard.reader_ids, heard.posts, by_chance))
    assert 0 < (made.basis.norm(dim=0) > 0).sum() < 0.75 * SIZE


def test_memberships_are_unit_vectors_and_nothing_is_known_of_no_content(found, written):
    content = torch.from_numpy(written[0][:6]).reshape(2, 3, SIZE)
    told = found(content)
    torch.testing.assert_close(told.norm(dim=-1), torch.ones(2, 3))
    assert (told >= 0).all()
    assert not found(torch.zeros(3, SIZE)).any()


def test_the_same_posts_give_the_same_subjects_and_others_are_told_from_them(found, written):
    again, other = Subjects(config()), Subjects(config())
    again.find(*written[:2], NOBODY)
    other.find(written[0][:300], written[1][:300], NOBODY)
    assert again.mark == found.mark
    assert len({found.mark, other.mark, 0}) == 3


def test_too_few_posts_or_posts_without_content_give_none(written):
    content, author, _ = written
    for number, known in ((49, content), (400, np.zeros_like(content))):
        made = Subjects(config())
        made.find(known[:number], author[:number], NOBODY)
        assert not made.is_found
        assert not made.mark
        assert made(torch.from_numpy(content[:2])).shape == (2, FEW)
        assert not made(torch.from_numpy(content[:2])).any()


def test_training_leaves_them_alone():
    model = build_model(config())
    optimisers = Optimisers(model, TrainableTables(config()), TrainingSettings())
    learned = {id(parameter) for parameter in optimisers.parameters}
    assert {name for name, p in model.named_parameters() if id(p) not in learned} == {
        "subjects.mean",
        "subjects.basis",
        "subjects.centres",
    }


def test_models_without_them_have_none():
    for without in (upstream_config("ranker"), small_config("retrieval"), config(num_subjects=0)):
        assert subjects_of(build_model(without)) is None
    with pytest.raises(ConfigError, match="content_size"):
        config(content_match=False, num_subjects=3).replace(content_size=0)
