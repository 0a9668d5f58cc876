"""Setting up advertisers and campaigns."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import Topic, User
from ads.models import Advertiser, Campaign, Creative, LedgerEntry
from ads.types import (
    BidType,
    CampaignStatus,
    CreativeSpec,
    EntryKind,
    Objective,
    Pacing,
    ReviewState,
)
from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid


@transaction.atomic
def create_advertiser(*, owner: User, name: str, balance_micros: int = 0, is_approved: bool = False) -> Advertiser:
    """A new advertiser, with a first deposit if `balance_micros` is positive."""
    if not name.strip():
        raise Invalid("An advertiser needs a name.")
    state = ReviewState.APPROVED if is_approved else ReviewState.PENDING
    advertiser = Advertiser.objects.create(owner=owner, name=name.strip(), review_state=state)
    if balance_micros:
        deposit(advertiser=advertiser, amount_micros=balance_micros)
        advertiser.refresh_from_db()
    return advertiser


@transaction.atomic
def deposit(*, advertiser: Advertiser, amount_micros: int, note: str = "") -> LedgerEntry:
    """Money in. The balance and its ledger row change together."""
    if amount_micros <= 0:
        raise Invalid("A deposit must be more than nothing.")
    Advertiser.objects.filter(pk=advertiser.pk).update(balance_micros=F("balance_micros") + amount_micros)
    return LedgerEntry.objects.create(
        advertiser=advertiser, kind=EntryKind.DEPOSIT, amount_micros=amount_micros, note=note
    )


@transaction.atomic
def create_campaign(
    *,
    advertiser: Advertiser,
    name: str,
    creatives: Sequence[CreativeSpec],
    max_bid_micros: int,
    daily_budget_micros: int,
    total_budget_micros: int | None = None,
    bid_type: BidType = BidType.CPM,
    objective: Objective = Objective.REACH,
    pacing: Pacing = Pacing.EVEN,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    countries: Collection[str] = (),
    languages: Collection[str] = (),
    topics: Collection[Topic] = (),
    frequency_cap: int = 5,
    frequency_window: timedelta = timedelta(days=1),
    status: CampaignStatus = CampaignStatus.ACTIVE,
    is_approved: bool = False,
) -> Campaign:
    """A campaign with its creatives. Until it is approved it serves nothing. Raises Invalid."""
    starts_at = starts_at or clock.now()
    _check_amounts(max_bid_micros, daily_budget_micros, total_budget_micros, frequency_cap)
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("A campaign must end after it starts.")
    if not creatives:
        raise Invalid("A campaign needs at least one creative.")
    state = ReviewState.APPROVED if is_approved else ReviewState.PENDING
    campaign = Campaign.objects.create(
        advertiser=advertiser,
        name=name,
        objective=objective,
        status=status,
        review_state=state,
        bid_type=bid_type,
        max_bid_micros=max_bid_micros,
        daily_budget_micros=daily_budget_micros,
        total_budget_micros=total_budget_micros,
        pacing=pacing,
        starts_at=starts_at,
        ends_at=ends_at,
        countries=sorted({country.upper() for country in countries}),
        languages=sorted(set(languages)),
        frequency_cap=frequency_cap,
        frequency_window=frequency_window,
    )
    campaign.topics.set(topics)
    Creative.objects.bulk_create(_creative(campaign, spec, state) for spec in creatives)
    return campaign


def set_campaign_status(*, campaign: Campaign, status: CampaignStatus) -> None:
    """Pause, resume or end a campaign. An ended one stays ended."""
    if campaign.status == CampaignStatus.ENDED:
        raise Invalid("This campaign has ended.")
    campaign.status = status
    campaign.save(update_fields=["status"])


@transaction.atomic
def review_campaign(*, campaign: Campaign, state: ReviewState) -> None:
    """A reviewer's decision on a campaign, its advertiser excepted, with all its creatives."""
    campaign.review_state = state
    campaign.save(update_fields=["review_state"])
    campaign.creatives.update(review_state=state)


def _check_amounts(bid: int, daily: int, total: int | None, frequency_cap: int) -> None:
    if min(bid, daily, frequency_cap) <= 0 or (total is not None and total <= 0):
        raise Invalid("Bid, budgets and frequency cap must be more than nothing.")


def _creative(campaign: Campaign, spec: CreativeSpec, state: ReviewState) -> Creative:
    if spec.post_id is not None:
        check_promotable(spec.post_id, campaign.advertiser)
    elif not spec.headline or not spec.url.startswith(("https://", "http://")):
        raise Invalid("A creative is a promoted post, or a headline with a web address.")
    return Creative(
        campaign=campaign,
        review_state=state,
        post_id=spec.post_id,
        headline=spec.headline,
        text=spec.text,
        url=spec.url,
        adjacency_risk=spec.control.risk,
        blocked_author_ids=sorted(spec.control.handles),
        blocked_keywords=list(spec.control.keywords),
    )


def check_promotable(post_id: int, advertiser: Advertiser) -> None:
    """Only the advertiser's own public posts can be promoted. Raises Invalid for others."""
    is_own_public_post = Post.objects.filter(
        pk=post_id,
        author_id=advertiser.owner_id,
        visibility=Visibility.PUBLIC,
        deleted_at__isnull=True,
        repost_of__isnull=True,
        subscribers_only=False,
    ).exists()
    if not is_own_public_post:
        raise Invalid("Only a public post of your own can be promoted.")
