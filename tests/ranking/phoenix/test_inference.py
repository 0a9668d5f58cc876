"""The serving path: equal to the masked reference, and each candidate judged by itself."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from ranking.phoenix import inference, precision, products, reference
from ranking.phoenix.batch import ArrayTables, TrainableTables
from ranking.phoenix.config import PhoenixConfig
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_model import PhoenixRanker
from tests.ranking.phoenix.small import random_candidates, random_context, small_config, upstream_config


def make(config):
    torch.manual_seed(3)
    model, tables = PhoenixRanker(config).eval(), TrainableTables(config, std=0.5).eval()
    if config.content_match:
        model.content_match.fit(torch.randn(200, config.content_size))
    return model, tables


@pytest.fixture(scope="module")
def ours():
    return make(small_config("ranker"))


def pick(candidates, index):
    fields = {name: None if v is None else v[:, index] for name, v in vars(candidates).items()}
    return type(candidates)(**fields)


@pytest.mark.parametrize("length", [0, 1, 5, 12])
def test_blocks_equal_the_masked_pass(ours, length, monkeypatch):
    monkeypatch.setattr(inference, "MIN_BLOCK", 7)
    model, tables = ours
    context, candidates = random_context(model.config, length=length), random_candidates(model.config, 30)
    exact = RankerRuntime(model, tables).rank_batch(context, candidates)
    with torch.inference_mode():
        slow = reference.rank_chunk(model, context, candidates, tables).output
    torch.testing.assert_close(exact.logits, slow.logits, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(exact.continuous, slow.continuous, atol=1e-5, rtol=1e-5)


def test_training_forward_equals_serving(ours):
    model, tables = ours
    context, candidates = random_context(model.config, length=9), random_candidates(model.config, 20)
    with torch.inference_mode():
        trained = model(context, candidates, tables)
    served = RankerRuntime(model, tables).rank_batch(context, candidates)
    torch.testing.assert_close(trained.logits, served.logits, atol=2e-5, rtol=1e-5)


def test_a_candidate_alone_among_many_and_in_any_order_scores_the_same(ours):
    model, tables = ours
    runtime = RankerRuntime(model, tables)
    context = runtime.encode(random_context(model.config, length=12))
    candidates = random_candidates(model.config, 1500)
    together = runtime.rank(context, candidates).logits.sigmoid()
    shuffled = torch.randperm(1500)
    reordered = runtime.rank(context, pick(candidates, shuffled)).logits.sigmoid()
    torch.testing.assert_close(reordered, together[:, shuffled], atol=1e-6, rtol=0)
    for index in (0, 255, 256, 1499):
        alone = runtime.rank(context, pick(candidates, [index])).logits.sigmoid()
        torch.testing.assert_close(alone[0, 0], together[0, index], atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [0, 4, 12])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_few_candidates_and_short_histories_are_summed_in_the_same_order(ours, length, dtype):
    """What decides the order of a sum is the size of a product; our own products need no more than that."""
    model, tables = ours
    runtime = RankerRuntime(model, tables, dtype=dtype)
    context = runtime.encode(random_context(model.config, length=length))
    candidates = random_candidates(model.config, 300)
    together = runtime.rank(context, candidates).logits.sigmoid()[0]
    for count in (1, 2, 5, 15, 16, 17, 129):
        rows = torch.randperm(300, generator=torch.Generator().manual_seed(count))[:count]
        few = runtime.rank(context, pick(candidates, rows)).logits.sigmoid()[0]
        torch.testing.assert_close(few, together[rows], atol=2e-7 if products.IS_BY_VECTORS else 1e-6, rtol=0)


def test_published_slots_start_again_after_each_chunk():
    model, tables = make(upstream_config("ranker"))
    model.transformer.layers[0].qkv.data *= 4
    context, candidates = random_context(model.config, length=12), random_candidates(model.config, 70)
    chunked = RankerRuntime(model, tables, slot_chunk=64).rank_batch(context, candidates)
    slow = reference.rank(model, context, candidates, tables)
    torch.testing.assert_close(chunked.logits, slow.logits, atol=5e-5, rtol=1e-4)
    running_on = RankerRuntime(model, tables).rank_batch(context, candidates)
    assert (running_on.logits[0, 64:] - slow.logits[0, 64:]).abs().max() > 1e-4


def test_stored_projections_change_nothing(ours):
    model, tables = ours
    runtime = RankerRuntime(model, tables)
    context, candidates = runtime.encode(random_context(model.config, length=7)), random_candidates(model.config, 40)
    stored = runtime.rank(context, candidates, runtime.project(candidates))
    assert torch.equal(stored.logits, runtime.rank(context, candidates).logits)


def test_posts_that_came_after_the_training_have_no_rows(ours):
    model, trained = ours
    arrays, ids = trained.arrays(), torch.tensor([[5, 99, 100, 101]])
    plain, limited = (ArrayTables(arrays, model.config.replace(item_ids_below=below)) for below in (0, 100))
    rows, valid = limited.item(ids)
    assert torch.equal(rows[:, :2], plain.item(ids)[0][:, :2])
    assert not rows[:, 2:].any()
    assert plain.item(ids)[0][:, 2:].all()
    assert valid.all()
    assert PhoenixConfig.from_dict(limited.config.to_dict()) == limited.config


def test_serving_leaves_the_thread_setting_of_others_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    inference.workers.cache_clear()
    assert inference.workers().submit(torch.get_num_threads).result() == 1
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    torch.set_num_threads(before)


def test_the_arithmetic_is_chosen_by_measurement(ours, monkeypatch):
    model, tables = ours
    monkeypatch.setattr(precision, "MAX_PROBABILITY_DIFFERENCE", 0.02)
    choice = precision.choose(model, tables)
    assert choice.agreement.holds
    assert choice.is_fast == (precision.MIN_GAIN * choice.fast_ms < choice.exact_ms)
    monkeypatch.setattr(precision, "MAX_PROBABILITY_DIFFERENCE", 0.0)
    refused = precision.choose(model, tables)
    assert not refused.is_fast
    assert refused.agreement.probability_difference > 0


def test_rank_correlation_is_spearmans():
    a, b = np.random.default_rng(0).normal(size=(2, 50))
    assert precision.rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_no_candidates_give_no_scores(ours):
    model, tables = ours
    runtime = RankerRuntime(model, tables)
    context = runtime.encode(random_context(model.config, length=3))
    assert runtime.rank(context, random_candidates(model.config, 0)).logits.shape == (1, 0, model.config.num_actions)


@pytest.mark.parametrize(("length", "user"), [(12, 1), (3, 0), (0, 0)], ids=["full", "of nobody", "empty"])
def test_bfloat16_stays_close(ours, length, user):
    model, tables = ours
    context, candidates = random_context(model.config, length=length), random_candidates(model.config, 200)
    context = dataclasses.replace(context, user_ids=context.user_ids * user)
    exact = RankerRuntime(model, tables).rank_batch(context, candidates).logits.sigmoid()
    fast = RankerRuntime(model, tables, dtype=torch.bfloat16).rank_batch(context, candidates).logits.sigmoid()
    assert (exact - fast).abs().max() < 0.02
