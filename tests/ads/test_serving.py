"""Which ads a viewer gets."""

from datetime import timedelta

import pytest

from accounts.models import Topic
from ads import roster, services
from ads.blending import AdjacencyControl, AdjacencyRisk, blend
from ads.models import Advertiser, Campaign, Creative
from ads.types import MICROS, BidType, CampaignStatus, CreativeSpec, HideScope, ReviewState
from posts.models import Post
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import Invalid


def post_by(user, **fields):
    post_id = ids.next_id()
    return Post.objects.create(id=post_id, author=user, text="hello", conversation_id=post_id, **fields)


def test_an_approved_campaign_is_served_with_all_the_feed_needs(make_campaign, viewer, ads_for):
    control = AdjacencyControl(risk=AdjacencyRisk.LOW, handles=frozenset({5}), keywords=("storm",))
    campaign = make_campaign(creatives=[CreativeSpec(headline="Books", url="https://b.example/", control=control)])
    (ad,) = ads_for(viewer)
    assert ad.id == campaign.creatives.get().pk
    assert (ad.advertiser_name, ad.headline, ad.url) == ("Harbour Books", "Books", "https://b.example/")
    assert ad.author_id == campaign.advertiser.owner_id
    assert ad.control == control
    assert ad.price_micros == 200  # nobody else: the reserve
    assert ad.why == ("The advertiser wants to reach everyone.",)


def test_ads_come_best_first_and_fit_the_blender(make_campaign, viewer, ads_for):
    low, high = make_campaign(max_bid_micros=2 * MICROS), make_campaign(max_bid_micros=9 * MICROS)
    ads = ads_for(viewer)
    assert [ad.campaign_id for ad in ads] == [high.pk, low.pk]
    assert [ad.insert_position for ad in ads] == [1, 6]
    assert ads[0].price_micros == 2000  # what the second bid per impression
    assert blend([], ads).spacing.requested == 5


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Campaign, {"status": CampaignStatus.PAUSED}),
        (Campaign, {"review_state": ReviewState.PENDING}),
        (Campaign, {"starts_at": clock.now() + timedelta(days=400)}),
        (Campaign, {"starts_at": clock.EPOCH, "ends_at": clock.EPOCH + timedelta(days=1)}),
        (Campaign, {"total_budget_micros": 10, "spent_micros": 10}),
        (Advertiser, {"review_state": ReviewState.REJECTED}),
        (Advertiser, {"balance_micros": 0}),
        (Advertiser, {"owner": None}),
        (Creative, {"review_state": ReviewState.REJECTED}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "-".join(value),
)
def test_what_is_not_running_approved_and_funded_is_not_served(make_campaign, viewer, ads_for, model, change):
    make_campaign()
    assert len(ads_for(viewer)) == 1
    model.objects.update(**change)
    assert ads_for(viewer) == []


@pytest.mark.parametrize(
    ("country", "language", "shown"),
    [("DE", "en", 1), ("de", "en", 1), ("FR", "en", 0), ("DE", "fr", 0), ("", "", 0)],
)
def test_country_and_language_are_conditions(make_campaign, viewer, ads_for, country, language, shown):
    make_campaign(countries=["de"], languages=["de", "en"])
    assert len(ads_for(viewer, country_code=country, language=language)) == shown


def test_a_page_asks_two_questions_and_the_next_one(make_campaign, viewer, ads_for, django_assert_num_queries):
    """Texts and targeting are read once and kept; what may be shown is asked every time."""
    make_campaign()
    campaign = make_campaign()
    with django_assert_num_queries(3):
        assert len(ads_for(viewer)) == 2
    services.set_campaign_status(campaign=campaign, status=CampaignStatus.PAUSED)
    with django_assert_num_queries(1):
        assert len(ads_for(viewer)) == 1


def test_a_changed_text_is_shown_within_seconds(make_campaign, viewer, ads_for, monkeypatch):
    campaign = make_campaign()
    monkeypatch.setattr(roster, "KEPT_S", 0.0)
    ads_for(viewer)
    campaign.creatives.update(headline="Newer books")
    assert ads_for(viewer)[0].headline == "Newer books"


def test_people_who_follow_a_topic_come_first_for_its_campaigns(make_campaign, viewer, ads_for):
    boats = Topic.objects.create(slug="boats", name="Boats")
    about_boats, untargeted = make_campaign(topics=[boats], max_bid_micros=6 * MICROS), make_campaign()
    follower = {"followed_topic_ids": frozenset({boats.pk})}
    first, second = ads_for(viewer, **follower)
    assert (first.campaign_id, second.campaign_id) == (about_boats.pk, untargeted.pk)
    assert first.why == ("You follow Boats.",)
    for facts in ({}, {**follower, "personalises_ads": False}):
        assert [ad.campaign_id for ad in ads_for(viewer, **facts)] == [untargeted.pk, about_boats.pk]


def test_nobody_sees_ads_of_their_own_or_of_people_they_keep_out(make_campaign, viewer, ads_for):
    owner = make_campaign().advertiser.owner
    assert ads_for(owner) == []
    assert ads_for(viewer, excluded_user_ids=frozenset({owner.pk})) == []
    assert len(ads_for(viewer, excluded_user_ids=frozenset({viewer.pk + 1}))) == 1


def test_a_hidden_ad_stays_away_and_so_does_a_hidden_advertiser(make_campaign, viewer, ads_for, make_user):
    campaign = make_campaign(creatives=[CreativeSpec(headline=h, url="https://b.example/") for h in "ab"])
    (first,) = ads_for(viewer)
    services.record_hide(viewer=viewer, token=first.token)
    (second,) = ads_for(viewer)
    assert second.id != first.id
    services.record_hide(viewer=viewer, token=second.token, scope=HideScope.ADVERTISER)
    make_campaign(advertiser=campaign.advertiser)
    assert ads_for(viewer) == []
    assert len(ads_for(make_user())) == 1


def test_the_frequency_cap_counts_impressions_in_its_window(make_campaign, viewer, ads_for, noon):
    make_campaign(frequency_cap=2, frequency_window=timedelta(hours=1))
    for _ in range(2):
        services.record_impression(viewer=viewer, token=ads_for(viewer)[0].token)
    assert ads_for(viewer) == []
    with clock.fixed(noon + timedelta(minutes=61)):
        assert len(ads_for(viewer)) == 1


def test_an_ad_that_people_hide_loses_to_an_equal_one(make_campaign, viewer, ads_for):
    disliked, other = make_campaign(), make_campaign()
    disliked.creatives.update(impressions=2000, hides=100, clicks=20)
    assert [ad.campaign_id for ad in ads_for(viewer)] == [other.pk, disliked.pk]


def test_bids_per_click_compete_by_their_click_rate(make_campaign, viewer, ads_for):
    per_click = make_campaign(bid_type=BidType.CPC, max_bid_micros=MICROS)
    per_thousand = make_campaign(max_bid_micros=5 * MICROS)
    first, second = ads_for(viewer)
    assert (first.campaign_id, second.campaign_id) == (per_click.pk, per_thousand.pk)
    assert first.price_micros == pytest.approx(5000 / 0.01, abs=1)  # per click, at one click in a hundred


def test_a_promoted_post_speaks_as_its_author_until_it_is_deleted(make_campaign, make_user, viewer, ads_for):
    owner = make_user()
    advertiser = services.create_advertiser(owner=owner, name="Shop", balance_micros=MICROS, is_approved=True)
    post = post_by(owner)
    make_campaign(advertiser=advertiser, creatives=[CreativeSpec(post_id=post.pk)])
    (ad,) = ads_for(viewer)
    assert (ad.post_id, ad.author_id) == (post.pk, owner.pk)
    Post.objects.filter(pk=post.pk).update(deleted_at=clock.now())
    assert ads_for(viewer) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"max_bid_micros": 0},
        {"total_budget_micros": 0},
        {"creatives": []},
        {"ends_at": clock.EPOCH},
        {"creatives": [CreativeSpec(headline="No link")]},
        {"creatives": [CreativeSpec(headline="Script", url="javascript:alert(1)")]},
        {"creatives": [CreativeSpec(post_id=1)]},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_a_campaign_that_makes_no_sense_is_refused(make_user, fields):
    advertiser = services.create_advertiser(owner=make_user(), name="Shop")
    sound = {"name": "x", "max_bid_micros": 1, "daily_budget_micros": 1}
    sound["creatives"] = [CreativeSpec(headline="Books", url="https://b.example/")]
    with pytest.raises(Invalid):
        services.create_campaign(advertiser=advertiser, **{**sound, **fields})
    assert not Campaign.objects.exists()


def test_only_own_public_posts_can_be_promoted(make_campaign, make_user):
    advertiser = services.create_advertiser(owner=make_user(), name="Shop")
    for post in (post_by(make_user()), post_by(advertiser.owner, visibility="private")):
        with pytest.raises(Invalid):
            make_campaign(advertiser=advertiser, creatives=[CreativeSpec(post_id=post.pk)])


def test_the_number_of_queries_does_not_grow_with_campaigns(make_campaign, viewer, ads_for, django_assert_num_queries):
    topic = Topic.objects.create(slug="boats", name="Boats")
    for _ in range(6):
        make_campaign(topics=[topic])
    with django_assert_num_queries(3):
        assert len(ads_for(viewer, followed_topic_ids=frozenset({topic.pk}))) == 6
