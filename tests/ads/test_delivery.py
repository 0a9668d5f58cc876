"""What becomes of served ads: once each, at the promised price, within every budget."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from ads import selectors, services
from ads.models import Delivery, LedgerEntry
from ads.types import MICROS, AdViewer, BidType, CreativeSpec, Pacing
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, Invalid, NotFound


def assert_books_balance(advertiser):
    """Balance, ledger, campaign counters and deliveries tell the same story, to the micro."""
    advertiser.refresh_from_db()
    assert advertiser.balance_micros == advertiser.ledger.aggregate(sum=Sum("amount_micros"))["sum"]
    for campaign in advertiser.campaigns.all():
        spent = campaign.deliveries.aggregate(sum=Sum("price_micros"))["sum"] or 0
        assert campaign.spent_micros == spent == (campaign.days.aggregate(sum=Sum("spent_micros"))["sum"] or 0)


def test_an_impression_is_charged_once_however_often_it_is_sent(make_campaign, viewer, ads_for):
    campaign = make_campaign()
    token = ads_for(viewer)[0].token
    assert services.record_impression(viewer=viewer, token=token) is True
    assert services.record_impression(viewer=viewer, token=token) is False
    campaign.refresh_from_db()
    assert campaign.spent_micros == 200
    assert campaign.creatives.get().impressions == 1
    assert_books_balance(campaign.advertiser)


def test_a_click_leads_to_the_address_and_is_billed_only_if_clicks_are_bought(make_campaign, viewer, ads_for):
    per_click = make_campaign(bid_type=BidType.CPC, max_bid_micros=MICROS)
    ad = ads_for(viewer)[0]
    services.record_impression(viewer=viewer, token=ad.token)
    assert not LedgerEntry.objects.filter(kind="charge").exists()
    assert services.record_click(viewer=viewer, token=ad.token) == "https://books.example/"
    assert services.record_click(viewer=viewer, token=ad.token) == "https://books.example/"
    per_click.refresh_from_db()
    assert per_click.spent_micros == ad.price_micros
    assert_books_balance(per_click.advertiser)


def test_forged_foreign_and_old_tokens_are_refused(make_campaign, make_user, viewer, ads_for):
    make_campaign()
    token = ads_for(viewer)[0].token
    with pytest.raises(Invalid):
        services.record_impression(viewer=viewer, token=token[:-1] + ("a" if token[-1] != "a" else "b"))
    with pytest.raises(Invalid):
        services.record_click(viewer=make_user(), token=token)
    with clock.fixed(clock.now() + timedelta(hours=25)), pytest.raises(Invalid):
        services.record_hide(viewer=viewer, token=token)
    assert not Delivery.objects.exists()


def test_a_batch_keeps_what_is_good(make_campaign, viewer, ads_for):
    make_campaign()
    make_campaign()
    good = [ad.token for ad in ads_for(viewer)]
    assert services.record_impressions(viewer=viewer, tokens=[good[0], "nonsense", good[1], good[0]]) == 2


def test_an_ad_that_was_removed_cannot_be_clicked(make_campaign, viewer, ads_for):
    campaign = make_campaign()
    token = ads_for(viewer)[0].token
    campaign.creatives.all().delete()
    with pytest.raises(NotFound):
        services.record_click(viewer=viewer, token=token)


@pytest.mark.parametrize(
    "limits",
    [
        {"daily_budget_micros": 500},
        {"total_budget_micros": 500},
        {"balance_micros": 500},
    ],
    ids=lambda limits: "-".join(limits),
)
def test_when_the_money_is_gone_events_count_but_cost_nothing(make_campaign, make_user, viewer, ads_for, limits):
    campaign = make_campaign(pacing=Pacing.ASAP, **limits)
    people = [make_user() for _ in range(4)]
    tokens = [ads_for(person)[0].token for person in people]  # served before anything was charged
    for person, token in zip(people, tokens, strict=True):
        services.record_impression(viewer=person, token=token)
    campaign.refresh_from_db()
    assert campaign.spent_micros == 400  # two at 200, the third would exceed 500
    assert campaign.creatives.get().impressions == 4
    assert_books_balance(campaign.advertiser)


@pytest.mark.django_db(transaction=True)
def test_no_budget_is_exceeded_by_many_at_once(make_campaign, make_user, ads_for):
    campaign = make_campaign(daily_budget_micros=1_000, pacing=Pacing.ASAP)
    people = [make_user() for _ in range(12)]
    served = [(person, ads_for(person)[0].token) for person in people]

    def see(served_ad):
        person, token = served_ad
        try:
            return services.record_impression(viewer=person, token=token)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        outcomes = list(pool.map(see, served + served))
    assert sum(outcomes) == 12
    campaign.refresh_from_db()
    assert campaign.spent_micros == 1_000
    assert_books_balance(campaign.advertiser)


def test_deliveries_and_ledger_are_only_ever_added_to(make_campaign, viewer, ads_for):
    make_campaign()
    services.record_impression(viewer=viewer, token=ads_for(viewer)[0].token)
    for row in (Delivery.objects.get(), LedgerEntry.objects.filter(kind="charge").get()):
        with pytest.raises(Conflict):
            row.save()
        with pytest.raises(Conflict):
            row.delete()


def test_why_this_ad_is_told_to_its_viewer_only(make_campaign, viewer, ads_for):
    make_campaign(countries=["DE"])
    facts = AdViewer(id=viewer.pk, country_code="DE")
    token = ads_for(viewer, country_code="DE")[0].token
    name, why = selectors.why_this_ad(viewer=facts, token=token)
    assert (name, why) == ("Harbour Books", ("Your account's country is DE.",))
    with pytest.raises(Invalid):
        selectors.why_this_ad(viewer=AdViewer(id=viewer.pk + 1), token=token)


def test_a_report_equals_the_ledger_and_hides_small_audiences(make_campaign, make_user, ads_for):
    campaign = make_campaign(creatives=[CreativeSpec(headline="a", url="https://b.example/")])
    for number in range(10):
        person = make_user()
        token = ads_for(person)[0].token
        services.record_impression(viewer=person, token=token)
        if number == 8:
            services.record_click(viewer=person, token=token)
            assert selectors.campaign_report(campaign).reach is None
    report = selectors.campaign_report(campaign)
    assert (report.impressions, report.clicks, report.reach, report.click_rate) == (10, 1, 10, 0.1)
    assert report.spent_micros == -LedgerEntry.objects.filter(kind="charge").aggregate(s=Sum("amount_micros"))["s"]
    assert report.cpm_micros == report.spent_micros * 100
