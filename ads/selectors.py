"""Reading advertising data: what may be served, why an ad was shown, how campaigns do."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from ads import targeting, tokens
from ads.models import Campaign, Delivery
from ads.types import AdViewer, CampaignStatus, DeliveryKind, ReviewState
from xsocial.kernel import sql
from xsocial.kernel.errors import NotFound

MIN_REPORTED_REACH = 10
"""Smaller audiences are not reported: an advertiser learns nothing about a single viewer."""


@dataclass(frozen=True, slots=True)
class Servable:
    """A creative that may be shown to one viewer now, with its counters as of now."""

    creative_id: int
    spent_today: int
    impressions: int
    clicks: int
    hides: int


# One row per creative: reviews, dates, money, the viewer's wishes, and how often he saw the campaign.
_SERVABLE = """
SELECT cr.id, coalesce(d.spent_micros, 0) AS spent_today, cr.impressions, cr.clicks, cr.hides
  FROM ads_campaign ca
  JOIN ads_creative cr ON cr.campaign_id = ca.id
  JOIN ads_advertiser ad ON ad.id = ca.advertiser_id
  JOIN accounts_user ow ON ow.id = ad.owner_id
  LEFT JOIN posts_post po ON po.id = cr.post_id
  LEFT JOIN ads_campaignday d ON d.campaign_id = ca.id AND d.day = %(day)s
 WHERE ca.status = 'active' AND ca.review_state = 'approved'
   AND cr.review_state = 'approved' AND ad.review_state = 'approved'
   AND ow.is_active AND ow.suspended_at IS NULL AND ow.deactivated_at IS NULL
   AND ca.starts_at <= %(now)s AND (ca.ends_at IS NULL OR ca.ends_at > %(now)s)
   AND ad.balance_micros > 0 AND (ca.total_budget_micros IS NULL OR ca.spent_micros < ca.total_budget_micros)
   AND coalesce(d.spent_micros, 0) < ca.daily_budget_micros
   AND (cardinality(ca.countries) = 0 OR %(country)s = ANY(ca.countries))
   AND (cardinality(ca.languages) = 0 OR %(language)s = ANY(ca.languages))
   AND (po.id IS NULL OR (po.deleted_at IS NULL AND po.visibility = 'public'))
   AND ad.owner_id <> ALL(%(excluded)s::bigint[]) AND (po.id IS NULL OR po.author_id <> ALL(%(excluded)s::bigint[]))
   AND ad.owner_id <> %(who)s
   AND NOT EXISTS (SELECT 1 FROM ads_hiddenadvertiser h WHERE h.viewer_id = %(who)s AND h.advertiser_id = ad.id)
   AND NOT EXISTS (SELECT 1 FROM ads_delivery x
                    WHERE x.viewer_id = %(who)s AND x.kind = 'hide' AND x.campaign_id = ca.id
                      AND x.creative_id = cr.id)
   AND ca.frequency_cap > (SELECT count(*) FROM ads_delivery x
                            WHERE x.viewer_id = %(who)s AND x.kind = 'impression' AND x.campaign_id = ca.id
                              AND x.created_at > %(now)s - ca.frequency_window)
 ORDER BY cr.id
"""


def servable(viewer: AdViewer, now: datetime) -> list[Servable]:
    """Creatives that may be shown to this viewer now, and whose conditions he meets. One query."""
    params = {
        "who": viewer.id,
        "now": now,
        "day": now.date(),
        "country": viewer.country_code.upper(),
        "language": viewer.language,
        "excluded": sql.bigints(viewer.excluded_user_ids),
    }
    return [Servable(*found) for found in sql.rows(_SERVABLE, params)]


def silent_because(campaign: Campaign, now: datetime) -> list[str]:
    """Why a campaign is shown to nobody now, as `servable` decides; nothing where somebody may see it.

    Asks for the advertiser with his owner, the creatives and today's row beforehand where there are many.
    """
    advertiser = campaign.advertiser
    owner = advertiser.owner
    today = sum(day.spent_micros for day in campaign.days.all() if day.day == now.date())
    reasons = {
        campaign.status: campaign.status != CampaignStatus.ACTIVE,
        f"review {campaign.review_state}": campaign.review_state != ReviewState.APPROVED,
        f"advertiser {advertiser.review_state}": advertiser.review_state != ReviewState.APPROVED,
        "advertiser's account is closed": owner is None or not owner.is_active or bool(owner.suspended_at),
        "advertiser has no money": advertiser.balance_micros <= 0,
        "not begun": campaign.starts_at > now,
        "over": campaign.ends_at is not None and campaign.ends_at <= now,
        "budget spent": campaign.total_budget_micros is not None
        and campaign.spent_micros >= campaign.total_budget_micros,
        "today's budget spent": today >= campaign.daily_budget_micros,
        "no approved creative": all(each.review_state != ReviewState.APPROVED for each in campaign.creatives.all()),
    }
    return [words for words, applies in reasons.items() if applies]


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
