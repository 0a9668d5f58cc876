"""Reading advertising data: what may be served, why an ad was shown, how campaigns do."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from ads import targeting, tokens
from ads.models import Campaign, CampaignDay, Creative, Delivery, HiddenAdvertiser
from ads.types import AdViewer, CampaignStatus, DeliveryKind, ReviewState
from posts.types import Visibility
from xsocial.kernel.errors import NotFound

MIN_REPORTED_REACH = 10
"""Smaller audiences are not reported: an advertiser learns nothing about a single viewer."""


def servable_creatives(viewer: AdViewer, now: datetime) -> QuerySet[Creative]:
    """Creatives that may be shown to this viewer now, targeting apart, each with `spent_today`."""
    return (
        Creative.objects.filter(_approved(), _running(now), _funded(), _showable_post())
        .exclude(campaign__advertiser__owner_id=viewer.id)
        .exclude(campaign__advertiser__owner_id__in=viewer.excluded_user_ids)
        .exclude(post__author_id__in=viewer.excluded_user_ids)
        .filter(~_hidden_by(viewer), ~_advertiser_hidden_by(viewer))
        .annotate(spent_today=_spent_on(now.date()), times_seen=_times_seen(viewer, now))
        .filter(
            spent_today__lt=F("campaign__daily_budget_micros"),
            times_seen__lt=F("campaign__frequency_cap"),
        )
        .select_related("campaign__advertiser", "post")
    )


def _approved() -> Q:
    return Q(
        review_state=ReviewState.APPROVED,
        campaign__review_state=ReviewState.APPROVED,
        campaign__advertiser__review_state=ReviewState.APPROVED,
        campaign__advertiser__owner__is_active=True,
        campaign__advertiser__owner__suspended_at__isnull=True,
        campaign__advertiser__owner__deactivated_at__isnull=True,
    )


def _running(now: datetime) -> Q:
    return Q(campaign__status=CampaignStatus.ACTIVE, campaign__starts_at__lte=now) & (
        Q(campaign__ends_at__isnull=True) | Q(campaign__ends_at__gt=now)
    )


def _funded() -> Q:
    return Q(campaign__advertiser__balance_micros__gt=0) & (
        Q(campaign__total_budget_micros__isnull=True) | Q(campaign__spent_micros__lt=F("campaign__total_budget_micros"))
    )


def _showable_post() -> Q:
    return Q(post__isnull=True) | Q(post__deleted_at__isnull=True, post__visibility=Visibility.PUBLIC)


def _hidden_by(viewer: AdViewer) -> Exists:
    return Exists(Delivery.objects.filter(viewer_id=viewer.id, kind=DeliveryKind.HIDE, creative=OuterRef("pk")))


def _advertiser_hidden_by(viewer: AdViewer) -> Exists:
    return Exists(HiddenAdvertiser.objects.filter(viewer_id=viewer.id, advertiser=OuterRef("campaign__advertiser")))


def _spent_on(day: date) -> Coalesce:
    spent = CampaignDay.objects.filter(campaign=OuterRef("campaign"), day=day).values("spent_micros")
    return Coalesce(Subquery(spent), 0)


def _times_seen(viewer: AdViewer, now: datetime) -> Coalesce:
    """Impressions of the campaign by the viewer within the campaign's frequency window."""
    window_start = ExpressionWrapper(Value(now) - OuterRef("campaign__frequency_window"), output_field=DateTimeField())
    seen = (
        Delivery.objects.filter(
            viewer_id=viewer.id,
            kind=DeliveryKind.IMPRESSION,
            campaign=OuterRef("campaign"),
            created_at__gt=window_start,
        )
        .order_by()
        .values("campaign")
        .annotate(times=Count("pk"))
        .values("times")
    )
    return Coalesce(Subquery(seen, output_field=IntegerField()), 0)


def why_this_ad(*, viewer: AdViewer, token: str) -> tuple[str, tuple[str, ...]]:
    """The advertiser's name, and the facts about the viewer that matched, as sentences.

    Raises Invalid for a token that is not this viewer's, NotFound when the ad is gone.
    """
    promise = tokens.read(token, viewer_id=viewer.id)
    campaign = (
        Campaign.objects.select_related("advertiser")
        .prefetch_related("topics")
        .filter(creatives=promise.creative_id)
        .first()
    )
    if campaign is None:
        raise NotFound("This ad is gone.")
    return campaign.advertiser.name, targeting.reasons(campaign.targeting, viewer)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Totals of a campaign. Rates are per impression; `reach` is None while the audience is too small."""

    impressions: int
    clicks: int
    hides: int
    spent_micros: int
    reach: int | None

    @property
    def click_rate(self) -> float:
        return self.clicks / self.impressions if self.impressions else 0.0

    @property
    def cpm_micros(self) -> float:
        """Effective price of a thousand impressions."""
        return 1000 * self.spent_micros / self.impressions if self.impressions else 0.0


def campaign_report(campaign: Campaign) -> CampaignReport:
    """How a campaign did, from the first day to now."""
    totals = campaign.days.aggregate(
        **{name: Coalesce(Sum(name), 0) for name in ("impressions", "clicks", "hides", "spent_micros")}
    )
    reach = Delivery.objects.filter(campaign=campaign, kind=DeliveryKind.IMPRESSION).aggregate(
        reach=Count("viewer", distinct=True)
    )["reach"]
    return CampaignReport(**totals, reach=reach if reach >= MIN_REPORTED_REACH else None)
