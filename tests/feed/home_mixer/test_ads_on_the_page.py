"""What people and moderators do about ads and posts shows on the next page."""

import pytest

from accounts import services as accounts
from ads import services as ads
from ads.types import MICROS, CreativeSpec
from feed import services
from feed.types import FeedRequest
from moderation import services as moderation
from moderation.types import Label
from tests.factories import FollowFactory, ModeratorFactory, PostFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient_pipelines", "campaign")]

NUM_POSTS = 8


@pytest.fixture
def campaign():
    advertiser = ads.create_advertiser(owner=UserFactory(), name="Shop", balance_micros=MICROS, is_approved=True)
    return ads.create_campaign(
        advertiser=advertiser,
        name="Spring",
        creatives=[CreativeSpec(headline="New books", url="https://books.example/")],
        max_bid_micros=5 * MICROS,
        daily_budget_micros=MICROS,
        is_approved=True,
    )


@pytest.fixture
def posts(viewer):
    """One each by several followed people: nobody gathers strikes."""
    return [PostFactory(author=FollowFactory(follower=viewer).followee) for _ in range(NUM_POSTS)]


@pytest.fixture
def screened(posts):
    """All posts found safe, newest first, as the page shows them."""
    moderator = ModeratorFactory()
    for post in posts:
        moderation.apply_label(moderator=moderator, post=post, label=Label.GROK_SFA)
    return posts[::-1]


def items_of(viewer, *, platform="web"):
    """A fresh page; served history is kept per platform."""
    page = services.for_you(viewer, request=FeedRequest(platform=platform))
    assert sum(item.kind == "post" for item in page.items) == NUM_POSTS
    return list(page.items)


def ads_among(items):
    return [item.ad for item in items if item.kind == "ad"]


def test_no_ad_stands_beside_a_post_that_became_unsafe(viewer, screened):
    assert len(ads_among(items_of(viewer))) == 1
    moderator = ModeratorFactory()
    for post in screened[1:]:
        moderation.apply_label(moderator=moderator, post=post, label=Label.NSFW_TEXT)
    assert ads_among(items_of(viewer, platform="phone")) == []


@pytest.mark.usefixtures("screened")
def test_a_hidden_ad_is_gone_from_the_next_page(viewer):
    (ad,) = ads_among(items_of(viewer))
    ads.record_hide(viewer=viewer, token=ad.token)
    assert ads_among(items_of(viewer, platform="phone")) == []


@pytest.mark.usefixtures("screened")
def test_who_blocks_an_advertiser_sees_none_of_its_ads(viewer, campaign):
    accounts.block(blocker=viewer, blocked=campaign.advertiser.owner)
    assert ads_among(items_of(viewer)) == []
