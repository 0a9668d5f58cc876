"""Advertising in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from ads import services
from ads.types import ReviewState
from tests.factories import PostFactory


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


def test_looking_at_campaigns_is_not_deciding_about_them(staff_client, make_campaign, make_user):
    campaign, watcher = make_campaign(is_approved=False), make_user(is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    staff_client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    answer = staff_client.post(
        admin_url("campaign_changelist"), {"action": "approve", "_selected_action": [campaign.pk]}
    )
    campaign.refresh_from_db()
    assert (answer.status_code, campaign.review_state) == (200, ReviewState.PENDING)


def test_deliveries_cannot_be_touched(staff_client, make_campaign, viewer, ads_for):
    make_campaign()
    services.record_impression(viewer=viewer, token=ads_for(viewer)[0].token)
    assert staff_client.get(admin_url("delivery_add")).status_code == 403


def shown_in(page):
    """What a browser would send back of a page's form and its inlines."""
    form = page.context["adminform"].form
    parts = [form]
    for inline in page.context["inline_admin_formsets"]:
        parts += [inline.formset.management_form, *inline.formset.forms]
    sent = {}
    for bound in (bound for part in parts for bound in part):
        if hasattr(bound.field.widget, "decompress"):
            values = enumerate(bound.field.widget.decompress(bound.value()))
            sent |= {f"{bound.html_name}_{number}": value for number, value in values}
        else:
            sent[bound.html_name] = bound.field.prepare_value(bound.value())
    return {name: value for name, value in sent.items() if value or value == 0}  # no empty boxes and files


@pytest.fixture
def change(staff_client):
    """Types values into the page of a row, as it is otherwise; returns the errors by field."""

    def change(kind, row, **values):
        url = admin_url(f"{kind}_change", row.pk)
        answer = staff_client.post(url, shown_in(staff_client.get(url)) | values)
        row.refresh_from_db()
        return {} if answer.status_code == 302 else answer.context["adminform"].form.errors

    return change


def test_amounts_are_typed_in_the_currency(change, make_campaign):
    campaign = make_campaign(total_budget_micros=None)
    assert change("campaign", campaign, max_bid_micros="2.5", total_budget_micros="1000") == {}
    assert (campaign.max_bid_micros, campaign.total_budget_micros) == (2_500_000, 1_000_000_000)
    assert campaign.daily_budget_micros == 50_000_000
    assert change("campaign", campaign, total_budget_micros="") == {}
    assert campaign.total_budget_micros is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_bid_micros", "0"),
        ("max_bid_micros", "-1"),
        ("daily_budget_micros", "nan"),
        ("daily_budget_micros", "1e30"),
        ("total_budget_micros", "0.5"),
        ("ends_at_0", "2001-01-01"),
        ("frequency_cap", "0"),
        ("frequency_window", "-1 00:00:00"),
        ("frequency_window", "999999999 00:00:00"),
        ("countries", "Germany"),
    ],
)
def test_what_no_campaign_can_be_is_refused_in_words(change, make_campaign, field, value):
    campaign = make_campaign()
    type(campaign).objects.filter(pk=campaign.pk).update(spent_micros=1_000_000)
    errors = change("campaign", campaign, **{"ends_at_1": "00:00:00", field: value})
    assert set(errors) == {field.removesuffix("_0")} | ({"ends_at"} if field != "ends_at_0" else set())
    assert "Constraint" not in str(errors)


def test_codes_are_written_as_accounts_have_them_and_an_ended_campaign_stays_ended(change, make_campaign):
    campaign = make_campaign()
    assert change("campaign", campaign, countries="de, us", languages="EN") == {}
    assert (campaign.countries, campaign.languages) == (["DE", "US"], ["en"])
    assert change("campaign", campaign, status="ended") == {}
    assert set(change("campaign", campaign, status="active")) == {"status"}


def test_a_deposit_goes_through_the_ledger(change, make_campaign, viewer, ads_for):
    campaign = make_campaign(balance_micros=0)
    assert ads_for(viewer) == []
    assert change("advertiser", campaign.advertiser, deposit="12.34") == {}
    assert campaign.advertiser.balance_micros == 12_340_000
    assert campaign.advertiser.ledger.get().note == "entered by chief"
    assert len(ads_for(viewer)) == 1


def test_the_list_says_why_a_campaign_is_silent(staff_client, make_campaign):
    make_campaign(name="Heard")
    make_campaign(name="Poor", balance_micros=0)
    make_campaign(name="New", is_approved=False)
    page = staff_client.get(admin_url("campaign_changelist"))
    said = {row.name: page.context["cl"].model_admin.on_air(row) for row in page.context["cl"].result_list}
    assert said == {
        "Heard": "yes",
        "Poor": "advertiser has no money",
        "New": "review pending, no approved creative",
    }


def test_only_an_own_public_post_can_be_promoted(change, make_campaign, make_user):
    creative = make_campaign().creatives.get()
    strangers, own = PostFactory(), PostFactory(author=creative.campaign.advertiser.owner)
    assert set(change("creative", creative, post=str(strangers.pk))) == {"post"}
    assert change("creative", creative, post=str(own.pk)) == {}
    assert set(change("creative", creative, post="", headline="")) == {"headline"}
