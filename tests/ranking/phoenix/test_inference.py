"""The serving path: equal to the masked reference, and each candidate judged by itself."""

import pytest
import torch

from ranking.phoenix import inference, reference
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.inference import RankerRuntime
from ranking.phoenix.recsys_model import PhoenixRanker
from tests.ranking.phoenix.small import random_candidates, random_context, small_config, upstream_config


def make(config):
    torch.manual_seed(3)
    model, tables = PhoenixRanker(config).eval(), TrainableTables(config, std=0.5).eval()
    return model, tables


@pytest.fixture(scope="module")
def ours():
    return make(small_config("ranker"))


def pick(candidates, index):
    fields = {name: None if v is None else v[:, index] for name, v in vars(candidates).items()}
    return type(candidates)(**fields)


@pytest.mark.parametrize("length", [0, 1, 5, 12])
def test_blocks_equal_the_masked_pass(ours, length, monkeypatch):
    monkeypatch.setattr(inference, "BLOCK", 7)
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


def test_published_slots_start_again_after_each_chunk():
    model, tables = make(upstream_config("ranker"))
    model.transformer.layers[0].qkv.data *= 4
    context, candidates = random_context(model.config, length=12), random_candidates(model.config, 70)
    chunked = RankerRuntime(model, tables, slot_chunk=64).rank_batch(context, candidates)
    slow = reference.rank(model, context, candidates, tables)
    torch.testing.assert_close(chunked.logits, slow.logits, atol=5e-5, rtol=1e-4)
    running_on = RankerRuntime(model, tables).rank_batch(context, candidates)
    assert (running_on.logits[0, 64:] - slow.logits[0, 64:]).abs().max() > 1e-4


def test_no_candidates_give_no_scores(ours):
    model, tables = ours
    runtime = RankerRuntime(model, tables)
    context = runtime.encode(random_context(model.config, length=3))
    assert runtime.rank(context, random_candidates(model.config, 0)).logits.shape == (1, 0, model.config.num_actions)


def test_bfloat16_stays_close(ours):
    model, tables = ours
    context, candidates = random_context(model.config, length=12), random_candidates(model.config, 200)
    exact = RankerRuntime(model, tables).rank_batch(context, candidates).logits.sigmoid()
    fast = RankerRuntime(model, tables, dtype=torch.bfloat16).rank_batch(context, candidates).logits.sigmoid()
    assert (exact - fast).abs().max() < 0.02
