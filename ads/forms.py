"""Forms of advertising's admin: amounts are typed in the currency, and rules of the services hold here too.

The admin gives them their model and its other fields.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms

from ads import services
from ads.types import MICROS, CampaignStatus
from xsocial.kernel.errors import Invalid

MOST_MONEY = 1_000_000_000
LONGEST_WINDOW = timedelta(days=365)


class MoneyField(forms.DecimalField):
    """Micros in the database, units of the currency on the page; always more than nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=MOST_MONEY, decimal_places=6, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Stored amounts are whole micros, typed ones are text."""
        return (Decimal(value) / MICROS).normalize().__format__("f") if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        """Micros."""
        amount = super().clean(value)
        return None if amount is None else int(amount * MICROS)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as they are typed."""
        return super().has_changed(self.prepare_value(initial), data)


class AdvertiserForm(forms.ModelForm):
    """An advertiser, and money he sends."""

    deposit = MoneyField(required=False, help_text="Added to the balance, with a row in the ledger.")


class CampaignForm(forms.ModelForm):
    """A campaign that keeps what `services.create_campaign` asks for."""

    max_bid_micros = MoneyField(label="Highest bid", help_text="Per thousand impressions (CPM) or per click (CPC).")
    daily_budget_micros = MoneyField(label="Daily budget", help_text="Per UTC day.")
    total_budget_micros = MoneyField(label="Total budget", required=False, help_text="Empty: no limit.")
    frequency_cap = forms.IntegerField(min_value=1, max_value=1_000, help_text="Impressions per viewer and window.")

    def clean_countries(self) -> list[str]:
        """Codes as accounts have them."""
        return sorted({country.strip().upper() for country in self.cleaned_data["countries"]} - {""})

    def clean_languages(self) -> list[str]:
        """Codes as accounts have them."""
        return sorted({language.strip().lower() for language in self.cleaned_data["languages"]} - {""})

    def clean_frequency_window(self) -> timedelta:
        """Some time, and not so long that no calendar holds it."""
        window: timedelta = self.cleaned_data["frequency_window"]
        if not timedelta(0) < window <= LONGEST_WINDOW:
            raise forms.ValidationError("A window is longer than nothing and at most a year.")
        return window

    def clean_status(self) -> str:
        """An ended campaign stays ended."""
        status: str = self.cleaned_data["status"]
        if self.initial.get("status") == CampaignStatus.ENDED != status:
            raise forms.ValidationError("This campaign has ended.")
        return status

    def clean(self) -> dict[str, Any]:
        """What two fields say together."""
        values = super().clean() or {}
        starts, ends, total = (values.get(name) for name in ("starts_at", "ends_at", "total_budget_micros"))
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "A campaign must end after it starts.")
        if total is not None and total < self.instance.spent_micros:
            self.add_error("total_budget_micros", "More than this is spent already.")
        return values


class CreativeForm(forms.ModelForm):
    """A promoted post of the advertiser's own, or a headline with a link."""

    def clean(self) -> dict[str, Any]:
        """Which of the two it is."""
        values = super().clean() or {}
        post, campaign = values.get("post"), values.get("campaign")
        if post is None:
            if not (values.get("headline") and values.get("url")):
                self.add_error("headline", "Choose a post to promote, or give a headline and a web address.")
        elif "post" in self.changed_data and campaign and campaign.advertiser_id:
            try:
                services.check_promotable(post.pk, campaign.advertiser)
            except Invalid as error:
                self.add_error("post", error.message)
        return values
