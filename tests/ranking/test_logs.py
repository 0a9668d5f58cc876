"""Reading the logs of a period: nothing that its page loads depend on may be missing."""

from typing import NamedTuple

import numpy as np
import pytest
from django.utils import timezone

from ranking import columns
from ranking.features import CANDIDATE_FEATURES
from ranking.training import logs
from ranking.training.dataset import build
from ranking.training.logs import Period
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


class Request(NamedTuple):
    """Everything a model would be given of one request."""

    history: list[int]
    actions: list[int]
    moments: list[int]
    shown: list[int]
    labels: list[int]
    features: list[list[float]]


def comparable(dataset):
    """The requests by person and moment."""
    out = {}
    for row in range(len(dataset.examples)):
        one = dataset.examples.take(np.array([row]))
        index = one.history[one.history >= 0]
        shown = one.posts[0][one.posts[0] >= 0]
        out[int(one.user_ids[0]), int(one.at_ms[0])] = Request(
            dataset.rows.post_ids[index].tolist(),
            dataset.rows.action_bits[index].tolist(),
            dataset.rows.first_ms[index].tolist(),
            dataset.posts.ids[shown].tolist(),
            one.label_bits[0].tolist(),
            np.round(one.features[0], 5).tolist(),
        )
    return out


@pytest.mark.usefixtures("morning")
def test_shards_give_the_same_examples_as_the_whole():
    whole = build(logs.read(), feature_names=CANDIDATE_FEATURES)
    shards = logs.shards(logs.period(), 70)
    assert len(shards) == 4
    parts = {}
    for shard in shards:
        read = logs.read(since_ms=shard.since_ms, until_ms=shard.until_ms)
        parts |= comparable(build(read, feature_names=CANDIDATE_FEATURES))
    everything = comparable(whole)
    # A request that a border cuts in two is two requests.
    common = everything.keys() & parts.keys()
    assert len(common) >= len(everything) - len(shards)
    assert max(len(everything[key].history) for key in common) > 20
    for key in common:
        if len(parts[key].shown) == len(everything[key].shown):
            assert parts[key] == everything[key]


@pytest.mark.usefixtures("morning")
def test_the_period_is_cut_by_impressions():
    before, after = logs.cut(logs.period(), 0.25)
    assert (logs.count(before), logs.count(after)) == (180, 60)
    assert before.until_ms == after.since_ms


def test_columns_are_read_in_binary():
    whole, real, flag = columns.read_columns(
        "SELECT n, (n / 2.0)::real, n > 1 FROM unnest(%s::bigint[]) AS n",
        [[1, -(1 << 60), 3]],
        (columns.BIGINT, columns.REAL, columns.BOOL),
    )
    assert whole.tolist() == [1, -(1 << 60), 3]
    assert real.tolist() == [0.5, -(2.0**59), 1.5]
    assert flag.tolist() == [False, False, True]


def test_a_null_is_an_error_not_a_shift():
    with pytest.raises(ValueError, match="null"):
        columns.read_columns("SELECT NULL::bigint", [], (columns.BIGINT,))


def test_no_rows_are_empty_columns():
    assert len(columns.read_columns("SELECT 1::bigint WHERE false", [], (columns.BIGINT,))[0]) == 0
    assert len(logs.read(since_ms=0, until_ms=clock.to_ms(timezone.now())).impressions) == 0
    assert logs.shards(Period(0, 1000), 10) == [Period(0, 1000)]
