"""Introspection and the start-up check."""

import pytest

from .components import (
    FilterPart,
    HydratorPart,
    Query,
    QueryPart,
    ScorerPart,
    SourcePart,
    ids,
    pipeline,
)

TEN = [
    "QueryHydrator",
    "DependentQueryHydrator",
    "Source",
    "Hydrator",
    "Filter",
    "Scorer",
    "Selector",
    "PostSelectionHydrator",
    "PostSelectionFilter",
    "SideEffect",
]


def call(*args):
    return {}


def test_components_lists_the_ten_groups_enabled_or_not():
    made = pipeline(filters=(FilterPart("Off", call, on=False), FilterPart("On", call)))
    assert list(made.components()) == TEN
    assert made.components()["Filter"] == ("Off", "On")
    assert made.components()["Selector"] == ("TopScore",)


def test_a_sound_wiring_passes():
    scorer = ScorerPart("S", call, reads=("a",))
    made = pipeline(hydrators=(HydratorPart("H", call, writes=("a",)),), scorers=(scorer,))
    assert made.verified(Query) is made


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"hydrators": (HydratorPart("H", call, reads=("b",)),)}, "H reads b before"),
        (
            {
                "hydrators": (
                    HydratorPart("H", call, writes=("a",)),
                    HydratorPart("I", call, reads=("a",), writes=()),
                )
            },
            "I reads a before",
        ),
        (
            {
                "hydrators": (
                    HydratorPart("H", call, writes=("a",)),
                    HydratorPart("I", call, writes=("a",)),
                )
            },
            "I and H both write a",
        ),
        ({"sources": (SourcePart("S", ids(1), writes=("nonsense",)),)}, "nonsense"),
        ({"query_hydrators": (QueryPart("Q", call, writes=("nobody",)),)}, "nobody"),
    ],
)
def test_slips_are_found_when_the_pipeline_is_built(parts, complaint):
    parts = {"scorers": (ScorerPart("Score", call),), **parts}
    with pytest.raises(ValueError, match=complaint):
        pipeline(**parts).verified(Query)
