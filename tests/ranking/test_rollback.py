"""A roll-back while requests are being answered: none fails, none mixes two models, and all follow soon."""

import threading
import time
from io import StringIO

import numpy as np
import pytest
import torch
from django.core.management import call_command
from django.db import connection

from ranking import registry, services
from ranking.phoenix import precision
from ranking.phoenix.artifacts import build_model
from ranking.phoenix.batch import TrainableTables
from ranking.sequences import action_sequence
from ranking.serving import checkpoint, live
from ranking.training.presets import xsocial_config
from ranking.types import CandidateColumns
from xsocial.kernel import clock

THREADS = 4
FOLLOWED_WITHIN_S = 10.0


def registered(seed):
    torch.manual_seed(seed)
    config = xsocial_config("ranker", num_layers=1, history=8, users=64, items=64, authors=64)
    made = checkpoint.in_memory(build_model(config), TrainableTables(config))
    return registry.register(made, training={}, metrics={})


@pytest.mark.django_db(transaction=True)
def test_a_roll_back_drops_no_request_and_mixes_no_models(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(live, "POLL_SECONDS", 0.2)
    # Which arithmetic is faster may come out differently each time a model is loaded.
    monkeypatch.setattr(precision, "MAX_PROBABILITY_DIFFERENCE", 0.0)
    live.reset()
    now_ms = clock.now_ms()
    asked = {
        "user_id": 1,
        "sequence": action_sequence(1, before_ms=now_ms, max_length=8),
        "candidates": CandidateColumns(np.arange(1, 41), np.arange(1, 41), np.full(40, now_ms - 60_000)),
        "now_ms": now_ms,
    }
    expected = {}
    for seed in range(2):
        version = registry.promote(registered(seed))
        live.reset()
        expected[version.name] = services.score(**asked).probabilities
    old, new = reversed(expected)
    answers, errors, stop = [], [], threading.Event()

    def ask():
        try:
            while not stop.is_set():
                scores = services.score(**asked)
                answers.append((time.monotonic(), scores.model, scores.probabilities))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    call_command("phoenix_promote", "--rollback", "ranker", stdout=StringIO())
    promoted_at = time.monotonic()
    while services.ranker_version() != new and time.monotonic() - promoted_at < FOLLOWED_WITHIN_S:
        time.sleep(0.05)
    followed_at = time.monotonic()
    time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    live.reset()
    assert not errors
    assert {model for _, model, _ in answers} == {old, new}
    for _, model, probabilities in answers:
        np.testing.assert_allclose(probabilities, expected[model], atol=1e-6)
    begun_later = [model for at, model, _ in answers if at > followed_at + 0.1]
    assert begun_later
    assert set(begun_later) == {new}
