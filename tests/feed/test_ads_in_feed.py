"""Ads on a page: placed among posts that are safe for them, and never at the price of the page."""

import pytest

from ads import services as ads
from ads.types import MICROS, CreativeSpec
from feed import services
from feed.types import FeedRequest
from moderation.models import PostLabel
from moderation.types import Label, LabelSource
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    advertiser = ads.create_advertiser(
        owner=UserFactory(), name="Harbour Books", balance_micros=100 * MICROS, is_approved=True
    )
    return ads.create_campaign(
        advertiser=advertiser,
        name="Spring",
        max_bid_micros=5 * MICROS,
        daily_budget_micros=50 * MICROS,
        is_approved=True,
        creatives=[CreativeSpec(headline="New books", url="https://books.example/")],
    )


@pytest.fixture
def safe_posts(friend, models):
    made = [PostFactory(author=friend) for _ in range(12)]
    labels = (Label.GROK_SFA, Label.PTOS_REVIEWED)
    PostLabel.objects.bulk_create(
        PostLabel(post=post, label=label, source=LabelSource.GROX, rule="test", applied_at=clock.now())
        for post in made
        for label in labels
    )
    return made


def kinds(viewer, **request):
    page = services.for_you(viewer, request=FeedRequest(**request))
    return [item.kind for item in page.items], page


def test_an_ad_stands_between_safe_posts_with_its_token(viewer, safe_posts, campaign):
    shown, page = kinds(viewer)
    assert shown.count("ad") == 1
    place = shown.index("ad")
    assert 0 < place < len(shown) - 1
    ad = page.items[place].ad
    assert ad.token
    assert ad.advertiser_name == "Harbour Books"
    receipt = services.receipt(viewer, page.request_id)
    assert [item["receipt"]["is_beside_ad"] for item in receipt["items"] if item["kind"] == "post"].count(True) == 2
    assert receipt["items"][place - 1]["receipt"]["brand_safety"] == "safe"


def test_no_ad_beside_posts_nobody_judged(viewer, friend, models, campaign):
    for _ in range(12):
        PostFactory(author=friend)
    assert "ad" not in kinds(viewer)[0]


def test_no_ads_in_a_preview(viewer, safe_posts, campaign):
    assert "ad" not in kinds(viewer, is_preview=True)[0]


@pytest.mark.parametrize(
    "broken", ["feed.home_mixer.sources.ads_source.eligible_ads", "moderation.selectors.labels_for"]
)
def test_what_breaks_behind_ads_costs_the_ads_alone(viewer, safe_posts, campaign, monkeypatch, broken):
    def fail(*args, **kwargs):
        raise RuntimeError("down")

    monkeypatch.setattr(broken, fail)
    shown, page = kinds(viewer)
    assert shown.count("post") == 12
    assert "ad" not in shown
    assert page.degraded == ("ads",)
