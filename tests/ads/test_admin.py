"""Advertising in the admin."""

import pytest
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from ads import services
from ads.types import ReviewState


@pytest.fixture
def staff_client(client, db, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    client.force_login(
        User.objects.create_superuser("chief", "chief@example.org", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def admin_url(name, *args):
    try:
        return reverse(f"admin:ads_{name}", args=args)
    except NoReverseMatch:  # pragma: no cover - the site mounts the admin
        pytest.fail(f"the admin has no page {name}")


def test_every_table_opens(staff_client, make_campaign, viewer, ads_for):
    campaign = make_campaign()
    services.record_hide(viewer=viewer, token=ads_for(viewer)[0].token, scope="advertiser")
    for model in ("advertiser", "campaign", "creative", "delivery", "ledgerentry", "hiddenadvertiser"):
        assert staff_client.get(admin_url(f"{model}_changelist")).status_code == 200
    assert staff_client.get(admin_url("campaign_change", campaign.pk)).status_code == 200
    assert staff_client.get(admin_url("campaign_add")).status_code == 200


def test_money_is_typed_as_money(staff_client, make_campaign):
    campaign = make_campaign()
    page = staff_client.get(admin_url("campaign_change", campaign.pk))
    form = {name: page.context["adminform"].form[name].value() for name in page.context["adminform"].form.fields}
    assert form["max_bid_micros"] == f"{campaign.max_bid_micros / 1e6:g}"
    sent = {name: value for name, value in form.items() if value not in (None, [], False)}
    moments = {f"starts_at_{part}": text for part, text in enumerate(f"{campaign.starts_at:%Y-%m-%d %H:%M:%S}".split())}
    inlines = {f"{name}-{part}_FORMS": 0 for name in ("creatives", "days") for part in ("TOTAL", "INITIAL")}
    for amount, micros in (("7.25", 7_250_000), ("-1", 7_250_000), ("0.0000001", 7_250_000), ("NaN", 7_250_000)):
        staff_client.post(
            admin_url("campaign_change", campaign.pk), sent | moments | inlines | {"daily_budget_micros": amount}
        )
        campaign.refresh_from_db()
        assert campaign.daily_budget_micros == micros, amount


def test_approving_a_campaign_puts_it_on_the_air(staff_client, make_campaign, viewer, ads_for):
    campaign = make_campaign(is_approved=False)
    assert ads_for(viewer) == []
    staff_client.post(admin_url("campaign_changelist"), {"action": "approve", "_selected_action": [campaign.pk]})
    campaign.refresh_from_db()
    assert campaign.review_state == ReviewState.APPROVED
    assert len(ads_for(viewer)) == 1


def test_deliveries_cannot_be_touched(staff_client, make_campaign, viewer, ads_for):
    make_campaign()
    services.record_impression(viewer=viewer, token=ads_for(viewer)[0].token)
    assert staff_client.get(admin_url("delivery_add")).status_code == 403
