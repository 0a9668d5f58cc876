"""Advertisers, their campaigns, and what the campaigns show. Amounts are in micros of the currency."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from ads.blending.types import AdjacencyControl, AdjacencyRisk
from ads.types import BidType, CampaignStatus, Objective, Pacing, ReviewState, Targeting
from xsocial.kernel import clock, ids


def choices(words) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]


class Advertiser(models.Model):
    """An account that pays for ads. `balance_micros` always equals the sum of its ledger."""

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="advertisers"
    )
    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=3, default="USD")
    review_state = models.CharField(max_length=10, choices=choices(ReviewState), default=ReviewState.PENDING)
    balance_micros = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(balance_micros__gte=0), name="ads_advertiser_not_overdrawn")]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """A budget, a bid, and whom to reach. Empty targeting reaches everyone.

    Countries and languages are conditions; topics say whom first, not whom alone.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    advertiser = models.ForeignKey(Advertiser, models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=80)
    objective = models.CharField(max_length=12, choices=choices(Objective), default=Objective.REACH)
    status = models.CharField(max_length=8, choices=choices(CampaignStatus), default=CampaignStatus.DRAFT)
    review_state = models.CharField(max_length=10, choices=choices(ReviewState), default=ReviewState.PENDING)

    bid_type = models.CharField(max_length=4, choices=choices(BidType), default=BidType.CPM)
    max_bid_micros = models.PositiveBigIntegerField(help_text="Per thousand impressions (CPM) or per click (CPC).")
    daily_budget_micros = models.PositiveBigIntegerField(help_text="Per UTC day.")
    total_budget_micros = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    spent_micros = models.PositiveBigIntegerField(default=0, editable=False)
    pacing = models.CharField(max_length=4, choices=choices(Pacing), default=Pacing.EVEN)
    starts_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True, blank=True)

    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    topics = models.ManyToManyField("accounts.Topic", blank=True, related_name="campaigns")

    frequency_cap = models.PositiveSmallIntegerField(default=5, help_text="Impressions per viewer and window.")
    frequency_window = models.DurationField(default=timedelta(days=1))
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="ads_campaign_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(total_budget_micros__isnull=True) | Q(spent_micros__lte=F("total_budget_micros")),
                name="ads_campaign_within_budget",
            ),
        ]
        indexes = [models.Index(fields=["status", "review_state"], name="ads_campaign_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def targeting(self) -> Targeting:
        return Targeting(
            countries=frozenset(self.countries),
            languages=frozenset(self.languages),
            topics=tuple((topic.pk, topic.name) for topic in self.topics.all()),
        )


class Creative(models.Model):
    """What is shown: a promoted post, or a headline with a link. With the neighbours it refuses."""

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="creatives")
    review_state = models.CharField(max_length=10, choices=choices(ReviewState), default=ReviewState.PENDING)
    post = models.ForeignKey("posts.Post", models.CASCADE, null=True, blank=True, related_name="creatives")
    headline = models.CharField(max_length=100, blank=True)
    text = models.CharField(max_length=500, blank=True)
    url = models.URLField(blank=True, help_text="Where a click leads; empty for a promoted post.")
    image = models.ImageField(upload_to="ads/%Y/%m/", blank=True)

    adjacency_risk = models.CharField(max_length=8, choices=choices(AdjacencyRisk), default=AdjacencyRisk.UNKNOWN)
    blocked_author_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    blocked_keywords = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    impressions = models.PositiveIntegerField(default=0, editable=False)
    clicks = models.PositiveIntegerField(default=0, editable=False)
    hides = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(post__isnull=False) | (~Q(headline="") & ~Q(url="")),
                name="ads_creative_shows_something",
            )
        ]

    def __str__(self) -> str:
        return self.headline or f"Post {self.post_id}"

    @property
    def control(self) -> AdjacencyControl:
        return AdjacencyControl(
            risk=AdjacencyRisk(self.adjacency_risk),
            handles=frozenset(self.blocked_author_ids),
            keywords=tuple(self.blocked_keywords),
        )
