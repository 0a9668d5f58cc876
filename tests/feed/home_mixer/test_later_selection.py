"""Slate diversity and the bounded return of served posts: off by default, worked by hand here."""

import numpy as np
import pytest

from feed.home_mixer.candidate import NO, UNKNOWN, YES
from feed.home_mixer.filters.controlled_source_reexposure_filter import ControlledSourceReexposureFilter, source_keys
from feed.home_mixer.filters.previously_served_posts_filter import PreviouslyServedPostsFilter
from feed.home_mixer.selectors.top_k_score_selector import TopKScoreSelector

from .batches import batch, query
from .test_filters import kept


def slate(authors, codes=None, **params):
    """Post ids in slate order, ranked as given."""
    n = len(authors)
    columns = {"author_id": authors, "score": np.linspace(1, 0, n)}
    if codes:
        columns["semantic_id"] = np.array([[code] * 6 for code in codes])
    rows = batch(**columns)
    chosen = TopKScoreSelector().select(query(params={"slate_diversity": True, **params}), rows)
    order = np.concatenate([chosen.selected, chosen.non_selected])
    return rows["post_id"][order].tolist()


def test_g12_a_third_post_of_an_author_waits():
    assert slate([1, 1, 1, 2]) == [1, 2, 4, 3]


def test_g13_two_alike_do_not_follow_each_other():
    assert slate([1, 2, 3], [7, 7, 8]) == [1, 3, 2]
    assert slate([1, 2, 3], [7, 7, 8], slate_semantic=False) == [1, 2, 3]
    assert slate([1, 2, 3], [-1, -1, -1]) == [1, 2, 3]


def test_the_caps_end_with_the_window_and_look_no_further_than_told():
    assert slate([1, 1, 1, 2], slate_author_window=2) == [1, 2, 3, 4]
    assert slate([1, 1, 1, 1, 2], slate_lookahead=2) == [1, 2, 3, 5, 4]


def test_a_repost_counts_for_both_authors():
    rows = batch(
        author_id=[1, 2, 3, 4],
        repost_of_user_id=[9, 9, 9, 0],
        repost_of_id=[5, 6, 7, 0],
        score=[0.9, 0.8, 0.7, 0.6],
    )
    chosen = TopKScoreSelector().select(query(params={"slate_diversity": True}), rows)
    assert chosen.selected.tolist() == [0, 1, 3, 2]


def test_nothing_is_lost_and_off_is_off():
    authors = np.random.default_rng(1).integers(1, 4, 60).tolist()
    assert sorted(slate(authors, top_k=20)) == list(range(1, 61))
    rows = batch(author_id=[1, 1, 1, 2], score=[0.9, 0.8, 0.7, 0.6])
    assert TopKScoreSelector().select(query(), rows).selected.tolist() == [0, 1, 2, 3]


# --- Re-exposure --------------------------------------------------------------------------------

ON = {"reexposure_enabled": True}
CARDS = {
    "post_id": [10, 20, 30, 40],
    "repost_of_id": [0, 10, 0, 0],
    "quote_of_id": [0, 0, 10, 0],
    "in_network": [YES, YES, YES, YES],
}


def test_a_source_is_the_reposted_then_the_quoted_post():
    assert source_keys(batch(**CARDS)).tolist() == [10, 10, 10, 40]


def test_one_card_of_a_source_per_page_and_the_original_first():
    assert kept(ControlledSourceReexposureFilter(), query(params=ON), **CARDS) == [0, 3]
    turned = {name: values[1:] + values[:1] for name, values in CARDS.items()}
    assert kept(ControlledSourceReexposureFilter(), query(params=ON), **turned) == [2, 3]


def test_the_served_filter_steps_aside_and_the_count_ends_it():
    once, twice = query(params=ON, served_ids=[10]), query(params=ON, served_ids=[10, 10])
    assert not PreviouslyServedPostsFilter().enabled(once)
    assert kept(ControlledSourceReexposureFilter(), once, **CARDS) == [0, 3]
    assert kept(ControlledSourceReexposureFilter(), twice, **CARDS) == [3]


@pytest.mark.parametrize(("gap", "left"), [(1, [3]), (0, [0, 3])])
def test_a_gap_of_pages_may_be_asked(gap, left):
    order = (np.array([10, 99]), np.array([0, 3]))
    asked = query(params={**ON, "reexposure_min_gap": gap}, served_ids=[10], served_order=order)
    assert kept(ControlledSourceReexposureFilter(), asked, **CARDS) == left


def test_only_the_network_brings_a_served_post_back():
    columns = {**CARDS, "in_network": [NO, YES, YES, UNKNOWN]}
    asked = query(params=ON, served_ids=[10, 40])
    assert kept(ControlledSourceReexposureFilter(), asked, **columns) == [1, 3]
    anybody = query(params={**ON, "reexposure_in_network_only": False}, served_ids=[10, 40])
    assert kept(ControlledSourceReexposureFilter(), anybody, **columns) == [0, 3]


def test_re_exposure_is_off_unless_more_than_one_serve_is_allowed():
    assert not ControlledSourceReexposureFilter().enabled(query())
    assert not ControlledSourceReexposureFilter().enabled(query(params={**ON, "reexposure_max_serves": 1}))
