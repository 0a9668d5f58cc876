"""Both blenders: golden cases, and the properties that hold for any page."""

import time
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ads.blend_cases import check_case, differing_constants, load_cases
from ads.blending import (
    PARTITION_ORGANIC,
    SAFE_GAP,
    AdjacencyControl,
    AdjacencyRisk,
    OrganicPost,
    PlacedAd,
    Spacing,
    Verdict,
    blend,
)
from ads.blending.spacing import spacing_of

GOLDEN = Path(__file__).parents[1] / "fixtures" / "ads" / "blend_cases.json"
DOCUMENT = load_cases(GOLDEN)
BOTH = [SAFE_GAP, PARTITION_ORGANIC]


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: f"{case['id']}: {case['note']}")
def test_golden_case(case):
    assert check_case(case, result_size=DOCUMENT["constants"]["result_size"]) == []


def test_golden_constants_are_ours():
    assert differing_constants(DOCUMENT) == []


@pytest.mark.parametrize(
    ("positions", "requested", "minimum"),
    [
        ([], 3, 2),
        ([4], 3, 2),
        ([1, 4, 7], 3, 2),
        ([1, 6, 11, 16], 5, 3),
        ([2, 9, 16], 7, 4),
        ([1, 3, 5], 3, 2),
        ([4, 4, 8, 8], 4, 2),
        ([9, 1, 6], 3, 2),
        ([0, 6, 12, 18, 19, 20], 6, 3),
    ],
)
def test_spacing(positions, requested, minimum):
    ads = [PlacedAd(id=number, insert_position=position) for number, position in enumerate(positions)]
    assert spacing_of(ads) == Spacing(requested, minimum)


WORDS = st.sampled_from(["plane crash", "a plane", "crash", "#plane", "!!!", "", "calm sea"])
CONTROLS = st.builds(
    AdjacencyControl,
    risk=st.sampled_from(AdjacencyRisk),
    handles=st.frozensets(st.integers(1, 5), max_size=2),
    keywords=st.lists(WORDS, max_size=2).map(tuple),
)


@st.composite
def pages(draw):
    verdicts = draw(st.lists(st.sampled_from([None, *Verdict, Verdict.SAFE, Verdict.SAFE]), max_size=45))
    posts = [
        OrganicPost(
            id=number,
            author_id=draw(st.integers(1, 6)),
            text=draw(WORDS),
            score=draw(st.floats(width=32, allow_infinity=False)),
            verdict=verdict,
        )
        for number, verdict in enumerate(verdicts)
    ]
    positions = draw(st.lists(st.integers(-3, 60), max_size=12))
    ads = [
        PlacedAd(id=number, insert_position=position, control=draw(st.none() | CONTROLS))
        for number, position in enumerate(positions)
    ]
    return posts, ads


def neighbours(result):
    """(post above, ad, post below) for every ad of a page."""
    items = result.items
    return [(items[i - 1].post, item.ad, items[i + 1].post) for i, item in enumerate(items) if item.is_ad]


def page_posts(result):
    return [item.post for item in result.items if not item.is_ad]


@settings(max_examples=120, deadline=None)
@given(page=pages(), blender=st.sampled_from(BOTH))
def test_every_ad_stands_between_two_posts_that_are_not_avoided(page, blender):
    result = blend(*page, blender=blender)
    assert [item.position for item in result.items] == list(range(len(result.items)))
    for above, ad, below in neighbours(result):
        assert ad in page[1]
        assert above.verdict not in (None, Verdict.MEDIUM_RISK)
        assert below.verdict not in (None, Verdict.MEDIUM_RISK)
    assert not (result.items and (result.items[0].is_ad or result.items[-1].is_ad))


@settings(max_examples=60, deadline=None)
@given(page=pages(), blender=st.sampled_from(BOTH))
def test_no_post_is_lost_and_nothing_is_changed(page, blender):
    before = deepcopy(page)
    uncut = blend(*page, blender=blender, result_size=1000)
    assert sorted(post.id for post in page_posts(uncut)) == [post.id for post in page[0]]
    assert repr(page) == repr(before)
    assert [repr(item) for item in blend(*page, blender=blender, result_size=1000).items] == [
        repr(item) for item in uncut.items
    ]


@settings(max_examples=60, deadline=None)
@given(page=pages())
def test_safe_gap_keeps_organic_order_and_uses_ads_in_order(page):
    result = blend(*page, blender=SAFE_GAP, result_size=1000)
    assert [post.id for post in page_posts(result)] == [post.id for post in page[0]]
    assert [ad.id for ad in result.ads] == list(range(len(result.gaps)))
    assert all(below - above >= 2 for above, below in pairwise(result.gaps))


@settings(max_examples=60, deadline=None)
@given(page=pages())
def test_partition_honours_controls_and_spreads_ads_evenly(page):
    result = blend(*page, blender=PARTITION_ORGANIC, result_size=1000)
    for above, ad, below in neighbours(result):
        if ad.control is None:
            continue
        assert not ad.control.handles & {above.author_id, below.author_id}
        if ad.control.is_strict:
            assert Verdict.LOW_RISK not in (above.verdict, below.verdict)
    places = [item.position for item in result.items if item.is_ad]
    distances = {below - above for above, below in pairwise(places)}
    assert places[:1] in ([], [1])
    assert not distances or max(distances) - min(distances) <= 1


def test_unknown_blender_name_means_partition_organic():
    case = next(case for case in DOCUMENT["cases"] if case["id"] == "s020")
    posts = [OrganicPost(row["id"], 0, "", row["score"], Verdict.SAFE) for row in case["posts"]]
    ads = [PlacedAd(1, 1), PlacedAd(2, 4)]
    assert blend(posts, ads, blender="anything") == blend(posts, ads, blender=PARTITION_ORGANIC)


def test_scores_that_are_not_numbers_sort_as_zero():
    scores = [9.0, 8.0, float("nan"), 1.0, -1.0, 7.0]
    posts = [OrganicPost(number, 0, "", score, Verdict.SAFE) for number, score in enumerate(scores)]
    result = blend(posts, [PlacedAd(1, 0)])
    assert [post.id for post in page_posts(result)] == [0, 1, 5, 3, 2, 4]


def test_counters_describe_the_input_also_when_nothing_is_blended():
    posts = [OrganicPost(1, 1), OrganicPost(2, 1, verdict=Verdict.SAFE)]
    ads = [PlacedAd(1, 1, AdjacencyControl(AdjacencyRisk.IAS)), PlacedAd(2, 4)]
    assert blend(posts, ads).counters == {
        "post_brand_safety_verdict.medium_risk": 1,
        "post_brand_safety_verdict.safe": 1,
        "ad_brand_safety_risk.ias": 1,
        "ad_brand_safety_risk.unknown": 1,
    }


def test_keyword_checks_stay_cheap_on_a_full_page():
    text = " ".join(f"word{number}" for number in range(45))
    posts = [OrganicPost(n, n, f"{text} {n}", 35.0 - n, Verdict.SAFE) for n in range(35)]
    control = AdjacencyControl(keywords=("word44 word0", "absent phrase here", "nothing"))
    ads = [PlacedAd(n, 1 + 3 * n, control) for n in range(12)]
    started = time.process_time()
    for _ in range(10):
        assert blend(posts, ads).enforcement.keyword_drop == 0
    assert (time.process_time() - started) / 10 < 0.02, "budget is 5 ms; the test allows a busy machine"
