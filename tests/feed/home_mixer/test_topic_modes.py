"""Topic filter modes: which links between posts and topics a topic page trusts."""

import pytest

from feed.home_mixer import topic_modes
from feed.home_mixer.params import Params

from .batches import query

SEVEN = tuple(range(1, 8))


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"topic_ids": (1,)}, "PostBased50Pct"),
        ({"topic_ids": SEVEN}, "Unfiltered"),
        ({"excluded_topic_ids": (1,)}, "Unfiltered"),
        ({"topic_ids": (1,), "params": {"topic_filter_mode": "PostBased90Pct"}}, "PostBased90Pct"),
        (
            {"topic_ids": (3, 2), "params": {"topic_filter_overrides": "2=PostBased75Pct"}},
            "PostBased75Pct",
        ),
        ({"new_user_topic_ids": (1,), "params": {"topic_filter_overrides": "1=CuratedV0"}}, "CuratedV0"),
    ],
)
def test_the_mode_of_a_request(fields, mode):
    assert topic_modes.of_query(query(**fields)) == mode


def test_bad_overrides_are_passed_over_with_a_warning(caplog):
    assert topic_modes.overrides("7=PostBased90Pct,x=Unfiltered,8=Nonsense,,9") == {7: "PostBased90Pct"}
    assert len(caplog.records) == 3


def test_an_unknown_mode_is_unfiltered():
    assert topic_modes.mode_for((1,), Params(topic_filter_mode="PostBased10Pct")) == "Unfiltered"


@pytest.mark.parametrize(
    ("mode", "confidence", "is_curated", "counts"),
    [
        ("PostBased90Pct", 0.9, False, True),
        ("PostBased90Pct", 0.89, True, False),
        ("PostBased50Pct", 0.5, False, True),
        ("CuratedV0", 1.0, False, False),
        ("CuratedV0V1", 0.1, True, True),
        ("Unfiltered", 0.0, False, True),
    ],
)
def test_what_a_mode_trusts(mode, confidence, is_curated, counts):
    assert topic_modes.trusts(mode, confidence, is_curated) is counts
