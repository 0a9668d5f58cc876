"""The report on a model: slices, reach, retrieval, plots, and who may see them."""

import json

import numpy as np
import pytest
import torch
from django.urls import reverse

from accounts.models import User
from ranking.evaluation import cold, plots
from ranking.evaluation.reach import reach
from ranking.evaluation.retrieval import found_posts
from ranking.evaluation.slices import FRESH, age_minutes, by_slice
from ranking.features import CANDIDATE_FEATURES
from ranking.models import ModelVersion
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.recsys_retrieval_model import PhoenixRetrieval
from ranking.serving import artefacts
from ranking.serving import checkpoint as checkpoints
from ranking.training.dataset import build, is_new_author
from ranking.training.evaluate import Orders, evaluate, like_labels, orders
from ranking.training.presets import xsocial_config
from ranking.training.run import curve
from tests.ranking.synthetic import logs

SMALL = {"emb_size": 16, "num_layers": 1, "history": 12, "users": 128, "items": 512, "authors": 64}
CONFIG = xsocial_config("ranker", **SMALL)


@pytest.fixture(scope="module")
def dataset():
    return build(logs(users=20, posts=200, requests=150, page=10), feature_names=CANDIDATE_FEATURES)


@pytest.fixture(scope="module")
def figures(dataset):
    """Of a ranker that predicts noise."""
    examples = dataset.examples
    shape = (*examples.posts.shape, CONFIG.num_actions)
    noise = np.random.default_rng(0).random(shape).astype(np.float32)
    compared = orders(examples, noise, CONFIG)
    return {
        **evaluate(examples, noise, noise, CONFIG),
        "slices": by_slice(dataset, examples, compared.phoenix, CONFIG),
        "reach": reach(dataset, examples, compared),
    }


def test_slices_part_the_impressions(dataset, figures):
    for parts in figures["slices"].values():
        assert sum(part["impressions"] for part in parts.values()) == dataset.examples.valid.sum()
    fresh = dataset.examples.valid & (age_minutes(dataset, dataset.examples) < 60)
    assert figures["slices"]["age"][FRESH]["impressions"] == fresh.sum()


def test_the_truth_orders_every_slice_perfectly(dataset):
    likes = like_labels(dataset.examples, CONFIG)
    for parts in by_slice(dataset, dataset.examples, likes, CONFIG).values():
        assert all(part["auc_favorite"] in (None, 1.0) for part in parts.values())


def test_reach_counts_posts_and_authors_of_the_first_ten(dataset):
    examples = dataset.examples
    same = np.zeros(examples.posts.shape, dtype=np.float32)
    one_author = dataset.posts.author_ids[np.maximum(examples.posts, 0)]
    biased = (one_author == dataset.posts.author_ids[0]).astype(np.float32)
    found = reach(dataset, examples, Orders(same, biased, same, same))
    assert found["phoenix"]["coverage@10"] == 1.0  # pages of ten: all of them are first
    new = is_new_author(dataset, examples)
    assert found["phoenix"]["new_author_share@10"] == pytest.approx(new[examples.valid].mean())
    row = int(np.argmax((examples.history >= 0).sum(axis=1)))
    met = set(dataset.rows.author_ids[examples.history[row][examples.history[row] >= 0]])
    for column in np.flatnonzero(examples.valid[row]):
        assert new[row, column] == (one_author[row, column] not in met)


def test_retrieval_is_judged_by_exact_ranks_and_needs_its_content(dataset):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = xsocial_config("retrieval", **SMALL)
    examples = dataset.examples.take(slice(20))
    model = checkpoints.in_memory(PhoenixRetrieval(config), TrainableTables(config))
    found = found_posts(model, dataset, examples, CANDIDATE_FEATURES)
    assert 0 <= found["recall@100"] <= found["recall@500"] <= found["recall@1000"] == 1.0
    bare = cold.without_content(dataset)
    assert not bare.posts.content.any()
    blind = found_posts(model, bare, examples, CANDIDATE_FEATURES)["cold"]
    for name, figures in found["cold"].items():
        assert 0 < figures["likes"] <= found["likes"]
        assert figures["recall@100_without_content"] == blind[name]["recall@100"]


def test_cold_posts_are_fresh_or_without_engagement(dataset):
    examples = dataset.examples
    fresh, unengaged = cold.masks(dataset, examples, CANDIDATE_FEATURES).values()
    assert (age_minutes(dataset, examples)[fresh] < 60).all()
    likes = examples.features[..., CANDIDATE_FEATURES.index("log_favorites")]
    assert (likes[unengaged] == 0).all()
    assert not unengaged[~examples.valid].any()
    examples.features[..., CANDIDATE_FEATURES.index("interest")] = 1.0
    bare = cold.without_likeness(examples, CANDIDATE_FEATURES)
    for name in ("similarity_max", "interest"):
        assert not bare.features[..., CANDIDATE_FEATURES.index(name)].any()
    assert (bare.features[..., CANDIDATE_FEATURES.index("log_favorites")] == likes).all()


def test_intervals_hold_the_value_and_shrink_with_the_data():
    rng = np.random.default_rng(0)
    widths = []
    for count in (50, 5000):
        found, bare = (rng.random((2, count)) < np.array([[0.4], [0.3]])).astype(float)
        value, low, high = cold.compared("hit", found, bare, np.ones(count))["gain"]
        assert value == pytest.approx(found.mean() - bare.mean())
        assert low < value < high
        widths.append(high - low)
    # Standard error of a difference of two rates at 5,000: 2 x 1.96 x sqrt((.24 + .21) / 5000).
    assert widths[1] == pytest.approx(0.0372, rel=0.15)
    assert widths[0] > 5 * widths[1]
    assert cold.compared("hit", np.zeros(0), np.zeros(0), np.zeros(0))["gain"] is None


def test_plots_are_drawn_for_what_there_is(figures, tmp_path):
    drawn = plots.draw(figures, {"loss_curve": curve([3.0, 2.0, 1.0])}, tmp_path)
    assert {path.stem for path in drawn} == set(plots.NAMES)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    plots.draw(figures, {}, tmp_path)
    assert not (tmp_path / "loss.png").exists()


def test_a_loss_curve_is_means_of_equal_parts():
    assert curve([1.0, 3.0, 5.0, 7.0], points=2) == [2.0, 6.0]
    assert curve([]) == []


@pytest.mark.django_db
def test_staff_alone_see_plots_in_the_admin(client, figures, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    version = ModelVersion.objects.create(
        kind="ranker", name="r", path="r", config={}, metrics={}, training={}, artefact_hash="x"
    )
    place = artefacts.folder(version)
    place.mkdir(parents=True)
    plots.draw(figures, {}, place)
    (place / artefacts.FIGURES).write_text(json.dumps({"requests": 150}))
    url = reverse("admin:ranking_plot", args=[version.pk, "auc"])
    reader = User.objects.create_user("reader", "reader@example.org", "pass-word-1")
    client.force_login(reader)
    assert client.get(url).status_code == 302
    chief = User.objects.create_superuser("chief", "chief@example.org", "pass-word-1")
    client.force_login(chief)
    answer = client.get(url)
    assert answer["Content-Type"] == "image/png"
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    assert client.get(reverse("admin:ranking_plot", args=[version.pk, "loss"])).status_code == 404
    page = client.get(reverse("admin:ranking_modelversion_change", args=[version.pk])).content.decode()
    assert url in page
    assert "&quot;requests&quot;: 150" in page
