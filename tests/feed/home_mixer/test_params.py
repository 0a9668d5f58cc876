"""Parameters and weights: pedigree, bounds, overrides."""

from pathlib import Path

import pytest

from feed.home_mixer import params
from feed.management.commands import feed_parameters


def test_every_parameter_has_a_source_and_ours_say_why():
    for name, _, default, about in params.parameters():
        assert about.source in ("A", "M", "D"), name
        if about.small is not None or about.source == "D":
            assert about.because, name
        for value in (default, about.small):
            if value is not None:
                assert not params.override_problem(name, value), name


def test_profiles_differ_in_sizes_only():
    upstream, small = params.resolve("upstream", {}), params.resolve("small_platform", {})
    assert upstream == params.Params()
    assert (upstream.thunder_max_results, upstream.phoenix_max_results) == (1200, 1000)
    assert small.thunder_max_results == 400
    assert small.oon_weight_factor == upstream.oon_weight_factor == 0.75


def test_overrides_win_over_the_profile_and_bad_ones_are_ignored():
    live = params.resolve("small_platform", {"thunder_max_results": 7, "oon_weight_factor": "much", "nobody": 1})
    assert live.thunder_max_results == 7
    assert live.oon_weight_factor == 0.75


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nobody", 1),
        ("result_size", "35"),
        ("result_size", True),
        ("result_size", 0),
        ("enable_ads", 1),
        ("oon_weight_factor", 11),
        ("ads_blender", 3),
    ],
)
def test_what_cannot_be_an_override(name, value):
    assert params.override_problem(name, value)


@pytest.mark.parametrize(("name", "value"), [("result_size", 20), ("oon_weight_factor", 1), ("enable_ads", False)])
def test_what_can(name, value):
    assert params.override_problem(name, value) == ""


@pytest.mark.parametrize(
    "weights",
    [{"nobody": 1.0}, {"report": 5.0}, {"favorite": -1.0}, {"reply": 1e9}, {"reply": "5"}, {"reply": True}, [1]],
)
def test_weights_out_of_bounds_are_refused(weights):
    assert params.weight_problems(weights)


def test_the_published_weights_are_within_bounds():
    assert params.weight_problems(dict(params.PUBLISHED_WEIGHTS)) == []


def test_the_documentation_is_what_the_code_says():
    page = Path(__file__).parents[3] / "docs/parameters.md"
    assert page.read_text() == feed_parameters.document()
