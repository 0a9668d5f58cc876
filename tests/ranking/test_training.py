"""From a log to figures: labels, counts, losses, and a model that learns what is there."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score, roc_auc_score

from posts.types import EngagementKind as Kind
from ranking.features import CANDIDATE_FEATURES
from ranking.heads import EXPLORED, STRONG_POSITIVE, WEAK_POSITIVE, bits_of, multi_hot
from ranking.phoenix.actions import continuous_units
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_model import RankerOutput
from ranking.sequences import Events
from ranking.serving.calibration import Calibration
from ranking.training import calibrate, gates, metrics
from ranking.training.batching import Targets, candidate_batch, context_batch, targets
from ranking.training.dataset import build
from ranking.training.labels import active_residual
from ranking.training.logs import Impressions
from ranking.training.presets import TrainingSettings, xsocial_config
from ranking.training.ranker import head_counts, loss, predict, train_ranker
from ranking.training.retrieval import HashedCounter, recall, softmax_loss, train_retrieval
from tests.ranking.synthetic import logs

SETTINGS = TrainingSettings(epochs=10, minutes=0, batch_requests=32, learning_rate=4e-3, random_negatives=64)


def small(kind):
    return xsocial_config(kind, emb_size=16, num_layers=1, history=12, users=128, items=512, authors=64)


@pytest.fixture(scope="module")
def log():
    return logs(users=30, posts=300, requests=450, page=10)


@pytest.fixture(scope="module")
def dataset(log):
    return build(log, feature_names=CANDIDATE_FEATURES)


@pytest.fixture(scope="module")
def trained(dataset):
    torch.set_num_threads(1)
    train, _ = dataset.split(0.2)
    return train_ranker(dataset, train, small("ranker"), SETTINGS, quiet=True)


def test_a_complaint_missed_counts_more_than_a_like_missed():
    config = small("ranker")
    shape = (1, 1, config.num_actions)

    def missed(head):
        done = torch.zeros(shape)
        done[..., config.action_names.index(head)] = 1
        wanted = Targets(done, torch.ones(shape, dtype=torch.bool), torch.full((1, 1, config.num_continuous), -1.0))
        said = RankerOutput(torch.full(shape, -5.0), torch.zeros(1, 1, config.num_continuous))
        nothing = dataclasses.replace(wanted, discrete=torch.zeros(shape))
        losses = [loss(said, labels, head_counts(config), continuous_weight=0.0) for labels in (wanted, nothing)]
        return float(losses[0] - losses[1])

    assert missed("report") == pytest.approx(8 * missed("favorite"), rel=1e-4)
    assert missed("reply") == pytest.approx(missed("favorite"), rel=1e-4)


def test_labels_are_what_followed_the_impression(log, dataset):
    examples = dataset.examples
    for request, column in ((0, 0), (5, 3), (100, 7)):
        user, shown = examples.user_ids[request], examples.impression_ms[request, column]
        post = log.posts.ids[examples.posts[request, column]]
        own = (log.events.user_ids == user) & (log.events.post_ids == post) & (log.events.at_ms >= shown)
        own &= log.events.at_ms < shown + 30 * 60_000
        assert examples.label_bits[request, column] & ~EXPLORED == bits_of([Kind(k) for k in log.events.kinds[own]])


def test_an_unexplored_post_is_one_taken_up_though_its_author_was_unknown(dataset):
    examples, rows = dataset.examples, dataset.rows
    found = multi_hot(examples.label_bits, ("post_unexplored",))[..., 0] > 0
    taken_up = (examples.label_bits & (STRONG_POSITIVE | WEAK_POSITIVE)) != 0
    assert found.any()
    assert (found <= taken_up).all()
    for request in (0, 200, 449):
        history = examples.history[request]
        known = set(rows.author_ids[history[history >= 0]].tolist())
        authors = dataset.posts.author_ids[examples.posts[request]]
        is_new = np.array([author not in known for author in authors.tolist()])
        valid = examples.valid[request]
        assert (found[request] == taken_up[request] & is_new)[valid].all()


def test_activity_counts_five_minutes_beyond_the_mean_of_its_place():
    at = np.array([0, 0, 60_000, 1_000_000])
    shown = Impressions(
        *(np.arange(4), np.array([1, 2, 1, 1]), np.arange(4), np.zeros(4, int)),
        *(np.array([0, 0, 1, 1]), np.arange(4), np.zeros(4, np.float32), at),
    )
    # The first person does something after two minutes, the second after six: too late.
    event = {name: np.zeros(2, np.int64) for name in Events.__dataclass_fields__}
    acted = Events(**event | {"user_ids": np.array([1, 2]), "at_ms": np.array([120_000, 360_000])})
    np.testing.assert_allclose(active_residual(shown, acted), [0.2, -0.2, 0.1, -0.1], atol=1e-6)


def test_continuous_heads_learn_shares_of_their_units(dataset):
    config = small("ranker")
    block = dataset.examples.take(np.arange(8))
    wanted = targets(block, config).continuous.numpy()
    slopes, shifts = continuous_units(config.continuous_names)
    values = wanted * np.float32(slopes) + np.float32(shifts)
    dwell, active = (config.continuous_names.index(name) for name in ("dwell_time", "active_secs_5m_residual_norm"))
    known = block.dwell_seconds > 0
    assert known.any()
    np.testing.assert_allclose(values[known, dwell], block.dwell_seconds[known], rtol=1e-6)
    assert (wanted[~known, dwell] == -1).all()
    np.testing.assert_allclose(values[block.valid, active], block.active_residual[block.valid], atol=1e-6)
    assert (wanted[~block.valid] == -1).all()


def test_counts_are_those_before_the_impression(log, dataset):
    examples = dataset.examples
    likes = CANDIDATE_FEATURES.index("log_favorites")
    for request, column in ((200, 0), (300, 4), (440, 9)):
        shown = examples.impression_ms[request, column]
        post = log.posts.ids[examples.posts[request, column]]
        before = (log.events.post_ids == post) & (log.events.kinds == Kind.FAVORITE) & (log.events.at_ms < shown)
        assert np.expm1(examples.features[request, column, likes]) == pytest.approx(before.sum(), abs=1e-3)


def test_history_ends_strictly_before_the_request(dataset):
    examples = dataset.examples
    newest = np.where(examples.history >= 0, dataset.rows.last_ms[examples.history], 0).max(axis=1)
    assert (newest < examples.at_ms).all()


def test_the_split_is_by_time(dataset):
    seen, later = dataset.split(0.2)
    assert seen.at_ms.max() <= later.at_ms.min()


def test_the_ranker_learns_taste_and_beats_popularity(dataset, trained):
    model, tables, losses = trained
    _, later = dataset.split(0.2)
    logits, _ = predict(model, tables, dataset, later)
    likes = (later.label_bits & 1).astype(float)
    popularity = later.features[..., CANDIDATE_FEATURES.index("log_favorites")]
    assert np.mean(losses[-5:]) < 0.9 * losses[0]
    mine = metrics.ndcg(logits[..., 0], likes, later.valid)
    assert mine > metrics.ndcg(popularity, likes, later.valid) + 0.02


def test_the_same_seed_gives_the_same_losses(dataset, trained):
    examples = dataset.examples.take(np.arange(64))
    settings = dataclasses.replace(SETTINGS, epochs=1)
    runs = [train_ranker(dataset, examples, small("ranker"), settings, quiet=True)[2] for _ in range(2)]
    assert runs[0] == runs[1]


def test_serving_gives_what_training_saw(dataset, trained):
    """A logged request replayed through the serving path scores as the trainer's own forward pass."""
    model, tables, _ = trained
    block = dataset.examples.take(np.array([400]))
    logits, _ = predict(model, tables, dataset, block)
    served = RankerRuntime(model, tables).rank_batch(
        context_batch(dataset, block, model.config), candidate_batch(dataset, block)
    )
    valid = block.valid[0]
    np.testing.assert_allclose(served.logits[0].numpy()[valid], logits[0][valid], atol=2e-5)


def test_retrieval_finds_later_likes_better_than_chance(dataset):
    train, later = dataset.split(0.2)
    settings = dataclasses.replace(SETTINGS, epochs=25, learning_rate=1e-2)
    model, tables, losses = train_retrieval(dataset, train, small("retrieval"), settings, quiet=True)
    assert np.mean(losses[-3:]) < losses[0]
    found = recall(model, tables, dataset, later, ks=(20,))
    assert found["recall@20"] > 1.2 * 20 / found["mean_window"]


def test_in_batch_false_negatives_cost_nothing_and_popular_ones_less():
    scores = torch.tensor([[1.0, 5.0, 0.0], [0.0, 1.0, 0.0]])
    weights, nothing = torch.ones(2), torch.zeros(2, 3, dtype=torch.bool)
    false = nothing.clone()
    false[0, 1] = True
    plain = softmax_loss(scores, weights=weights, log_expected=torch.zeros(3), is_false=nothing)
    assert softmax_loss(scores, weights=weights, log_expected=torch.zeros(3), is_false=false) < plain
    popular = torch.tensor([0.0, 3.0, 0.0])
    assert softmax_loss(scores[:1], weights=weights[:1], log_expected=popular, is_false=nothing[:1]) < plain


def test_the_hashed_counter_knows_each_posts_share():
    counter = HashedCounter()
    counter.add(np.array([7, 7, 7, 9]))
    shares = counter.log_share(np.array([7, 9, 11])).exp()
    np.testing.assert_allclose(shares, [0.75, 0.25, 0.25], atol=1e-6)  # the unseen counts as seen once


def test_calibration_restores_a_distorted_scale():
    draw = torch.Generator().manual_seed(0)
    truth = torch.randn(20_000, 1, generator=draw) - 2
    labels = (torch.rand(20_000, 1, generator=draw) < truth.sigmoid()).float()
    x, y = calibrate.platt((truth * 2 + 1)[:, 0].double().numpy(), labels[:, 0].double().numpy())
    scale = (y[-1] - y[0]) / (x[-1] - x[0])
    assert scale == pytest.approx(0.5, abs=0.05)
    assert y[0] - scale * x[0] == pytest.approx(-0.5, abs=0.12)


def test_each_head_gets_the_calibration_that_suits_it():
    draw = torch.Generator().manual_seed(0)
    truth = 2 * torch.randn(20_000, 3, generator=draw) - 1
    labels = (torch.rand(20_000, 3, generator=draw) < truth.sigmoid()).float()
    labels[:, 2] = 0
    given = torch.stack([truth[:, 0] * 2, truth[:, 1] ** 3 / 4, truth[:, 2]], dim=1)
    calibration, methods = calibrate.fit(given, labels)
    assert methods == ["platt", "isotonic", "none"]
    for head in range(2):
        p, y = calibration(given)[:, head].sigmoid().numpy(), labels[:, head].numpy()
        before = metrics.expected_calibration_error(given[:, head].sigmoid().numpy(), y)
        assert metrics.expected_calibration_error(p, y) < min(0.025, before / 2)
    line = torch.linspace(-9, 9, 500)[:, None].expand(-1, 3)
    assert (calibration(line).diff(dim=0) > 0).all(), "the order of candidates is kept"
    torch.testing.assert_close(calibration(line)[:, 2], line[:, 2], atol=1e-4, rtol=0)


def test_one_positive_at_the_end_makes_nothing_near_it_certain():
    draw = np.random.default_rng(0)
    logits = draw.normal(-6.5, 1.0, 20_000)
    labels = (draw.random(20_000) < 1 / (1 + np.exp(-logits))).astype(float)
    labels[logits.argmax()] = 1
    highest = torch.from_numpy(np.sort(logits)[-400:])[:, None]
    line = (torch.from_numpy(part)[None] for part in calibrate.isotonic(logits, labels))
    assert Calibration(*line)(highest).sigmoid().mean() < 2 * highest.sigmoid().mean()


class TestMetrics:
    rng = np.random.default_rng(1)

    def test_auc_is_scikit_learns(self):
        labels, scores = self.rng.random(500) < 0.2, np.round(self.rng.random(500), 2)
        assert metrics.auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)

    def test_ndcg_is_scikit_learns(self):
        scores, gains = self.rng.random((40, 12)), self.rng.integers(0, 4, (40, 12)).astype(float)
        gains[:, 0] = 1
        ours = metrics.ndcg(scores, gains, np.ones_like(scores, bool), k=10)
        assert ours == pytest.approx(ndcg_score(gains, scores, k=10), abs=1e-9)

    def test_padding_and_pages_without_gain_do_not_count(self):
        scores = np.array([[3.0, 2.0, 9.0], [1.0, 2.0, 3.0]])
        gains = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
        valid = np.array([[True, True, False], [True, True, True]])
        assert metrics.mrr(scores, gains, valid) == 0.5

    def test_a_constant_score_gains_nothing_from_the_logged_order(self):
        gains = np.array([[1.0, 0.0, 0.0]])
        assert metrics.mrr(np.zeros((1, 3)), gains, np.ones((1, 3), bool)) == pytest.approx(1 / 3)

    def test_the_base_rate_has_normalised_entropy_one(self):
        labels = np.array([1.0, 0, 0, 0])
        assert metrics.normalised_entropy(np.full(4, 0.25), labels) == pytest.approx(1)
        assert metrics.auc(np.ones(3), np.ones(3)) is None


def figures(ndcg=0.5, auc=0.7, entropy=0.9, calibration=1.0):
    head = {"auc": auc, "normalised_entropy": entropy, "calibration": calibration}
    return {"heads": {"favorite": head}, "pages": {"phoenix": {"ndcg@10": ndcg}}}


@pytest.mark.parametrize(
    ("new", "failed"),
    [
        (figures(), []),
        (figures(ndcg=0.49), []),
        (figures(ndcg=0.4), ["ndcg@10"]),
        (figures(auc=0.5), ["auc"]),
        (figures(entropy=1.1), ["normalised_entropy"]),
        (figures(calibration=3.0), ["calibration"]),
    ],
)
def test_gates(new, failed):
    assert gates.failures("ranker", new, figures()) == failed
