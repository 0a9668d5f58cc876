"""What happened to ads, and what it cost. Deliveries and the ledger are only ever added to."""

from django.conf import settings
from django.db import models

from ads.models.campaign import Advertiser, Campaign, Creative, choices
from ads.types import DeliveryKind, EntryKind
from xsocial.kernel import clock, ids
from xsocial.kernel.append_only import AppendOnly


class Delivery(AppendOnly):
    """One event of one served ad. The pair of impression and kind is unique: repeating changes nothing.

    `price_micros` is what was charged, which is 0 once a budget is used up.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    impression_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=choices(DeliveryKind))
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="deliveries")
    creative = models.ForeignKey(Creative, models.SET_NULL, null=True, related_name="deliveries")
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="ad_deliveries")
    request_id = models.BigIntegerField(help_text="Page load the ad was served on.")
    price_micros = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["impression_id", "kind"], name="ads_delivery_once")]
        indexes = [
            models.Index(fields=["viewer", "kind", "campaign", "created_at"], name="ads_delivery_viewer"),
            models.Index(fields=["campaign", "created_at"], name="ads_delivery_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.impression_id}"


class CampaignDay(models.Model):
    """Counters of a campaign on one UTC day; `spent_micros` is what the daily budget is held against."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="days")
    day = models.DateField()
    impressions = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)
    hides = models.PositiveIntegerField(default=0)
    spent_micros = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "day"], name="ads_campaign_day_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id} on {self.day}"


class LedgerEntry(AppendOnly):
    """One change of an advertiser's balance; charges are negative and name their delivery."""

    advertiser = models.ForeignKey(Advertiser, models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=8, choices=choices(EntryKind))
    amount_micros = models.BigIntegerField()
    delivery = models.OneToOneField(Delivery, models.PROTECT, null=True, related_name="charge")
    note = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "ledger entries"
        indexes = [models.Index(fields=["advertiser", "-id"], name="ads_ledger_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_micros}"


class HiddenAdvertiser(models.Model):
    """A viewer who wants nothing from an advertiser any more."""

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="hidden_advertisers")
    advertiser = models.ForeignKey(Advertiser, models.CASCADE, related_name="hidden_by")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["viewer", "advertiser"], name="ads_hidden_advertiser_unique")]

    def __str__(self) -> str:
        return f"{self.viewer_id} hides {self.advertiser_id}"
