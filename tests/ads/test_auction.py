"""Prices and ranks of the auction, pacing, and targeting: plain arithmetic."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ads.auction import Bid, run, smoothed_rate
from ads.pacing import elapsed_share, pacing_multiplier
from ads.targeting import reasons, relevance
from ads.types import AdViewer, Pacing, Targeting

RESERVE = 100

BIDS = st.lists(
    st.builds(
        Bid,
        entry=st.none(),
        group=st.integers(1, 6),
        order=st.integers(0, 1000),
        micros=st.integers(1, 50_000),
        rate=st.floats(0.01, 1.0),
        pacing=st.floats(0.05, 1.0),
        experience=st.floats(-500, 500),
    ),
    max_size=8,
    unique_by=lambda bid: bid.order,
).map(lambda bids: [replace(bid, entry=bid) for bid in bids])


def bid(name, micros, *, group=None, **fields):
    return Bid(entry=name, group=group or ord(name), order=ord(name), micros=micros, rate=1.0, **fields)


def outcome(*bids, places=5):
    return [(win.entry, win.price_micros) for win in run(bids, places=places, reserve_micros=RESERVE)]


def test_the_winner_pays_what_the_next_offered_and_the_last_pays_the_reserve():
    assert outcome(bid("a", 900), bid("b", 700), bid("c", 300)) == [("a", 700), ("b", 300), ("c", RESERVE)]


def test_the_first_loser_sets_the_price_of_the_last_place():
    assert outcome(bid("a", 900), bid("b", 700), places=1) == [("a", 700)]


def test_an_offer_below_the_reserve_neither_wins_nor_sets_a_price():
    assert outcome(bid("a", 900), bid("b", 99)) == [("a", RESERVE)]


def test_one_place_per_group_and_no_price_from_oneself():
    assert outcome(bid("a", 900, group=1), bid("b", 800, group=1), bid("c", 300)) == [("a", 300), ("c", RESERVE)]


def test_a_better_experience_wins_places_and_lowers_the_price():
    assert outcome(bid("a", 500, experience=300.0), bid("b", 700)) == [("a", 400), ("b", RESERVE)]


@settings(max_examples=80, deadline=None)
@given(BIDS)
def test_no_price_is_above_the_paced_bid_or_below_the_reserve(bids):
    for win in run(bids, places=8, reserve_micros=RESERVE):
        assert win.price_micros <= win.entry.pacing * win.entry.micros
        # Prices are whole micros per event, so revenue per impression may fall short by less than one.
        assert win.price_micros * win.entry.rate > RESERVE - 1


@settings(max_examples=80, deadline=None)
@given(BIDS.filter(bool), st.integers(1, 20_000))
def test_raising_a_bid_never_lowers_its_rank_nor_changes_its_price_at_the_same_rank(bids, more):
    raised = replace(bids[0], micros=bids[0].micros + more)
    before = run(bids, places=8, reserve_micros=RESERVE)
    after = run([replace(raised, entry=raised), *bids[1:]], places=8, reserve_micros=RESERVE)

    def rank_and_price(wins):
        found = [(rank, win.price_micros) for rank, win in enumerate(wins) if win.entry.order == raised.order]
        return found[0] if found else (math.inf, None)

    (old_rank, old_price), (new_rank, new_price) = rank_and_price(before), rank_and_price(after)
    assert new_rank <= old_rank
    if new_rank == old_rank < math.inf:
        # A floor on the old bid may have cut a fraction of a micro off the old price.
        assert new_price - old_price in (0, 1)


def test_rates_start_at_the_prior_and_follow_what_happens():
    assert smoothed_rate(events=0, trials=0, prior=(1, 99)) == pytest.approx(0.01)
    assert smoothed_rate(events=500, trials=9900, prior=(1, 99)) == pytest.approx(0.0501)


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_ago", "ends_in", "share"),
    [
        (timedelta(days=3), None, 0.5),
        (timedelta(0), None, 0.0),
        (timedelta(hours=4), None, 0.25),
        (timedelta(days=3), timedelta(hours=4), 0.75),
        (timedelta(days=3), -timedelta(days=1), 1.0),
    ],
)
def test_share_of_the_day_counts_only_the_campaigns_hours(starts_ago, ends_in, share):
    ends_at = None if ends_in is None else NOON + ends_in
    assert elapsed_share(NOON, starts_at=NOON - starts_ago, ends_at=ends_at) == pytest.approx(share)


@pytest.mark.parametrize(
    ("pacing", "spent", "share", "multiplier"),
    [
        (Pacing.EVEN, 0, 0.0, 1.0),
        (Pacing.EVEN, 400, 0.5, 1.0),
        (Pacing.EVEN, 800, 0.5, 0.625),
        (Pacing.EVEN, 1000, 0.0, 0.1),
        (Pacing.EVEN, 100_000, 0.0, 0.05),
        (Pacing.ASAP, 800, 0.1, 1.0),
    ],
)
def test_a_campaign_ahead_of_its_plan_bids_less(pacing, spent, share, multiplier):
    assert pacing_multiplier(
        pacing=pacing, spent_micros=spent, budget_micros=1000, share=share, head_start=0.1, minimum=0.05
    ) == pytest.approx(multiplier)


BOATS = Targeting(countries=frozenset({"DE"}), languages=frozenset({"de", "en"}), topics=((1, "Boats"), (2, "Rope")))


@pytest.mark.parametrize(
    ("targeting", "viewer", "worth"),
    [
        (BOATS, AdViewer(1, followed_topic_ids=frozenset({2, 9})), 1.0),
        (BOATS, AdViewer(1, followed_topic_ids=frozenset({9})), 0.3),
        (BOATS, AdViewer(1, followed_topic_ids=frozenset({2}), personalises_ads=False), 0.3),
        (Targeting(), AdViewer(1), 1.0),
    ],
)
def test_topics_say_whom_first_not_whom_alone(targeting, viewer, worth):
    assert relevance(targeting, viewer, beyond_topics=0.3) == worth


def test_reasons_name_exactly_what_matched():
    viewer = AdViewer(1, "de", "en", frozenset({1, 2}))
    assert reasons(BOATS, viewer) == (
        "You follow Boats and Rope.",
        "Your language is en.",
        "Your account's country is DE.",
    )
    assert reasons(Targeting(), viewer) == ("The advertiser wants to reach everyone.",)
    (beyond,) = reasons(Targeting(topics=BOATS.topics), AdViewer(1))
    assert beyond == "The advertiser looks for people interested in Boats and Rope, and for others too."
