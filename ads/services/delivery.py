"""Recording what became of served ads, and charging for it.

Every event is accepted once. The charge, the counters and the ledger row are written in the transaction of
the event, under a lock on the campaign and its advertiser, so no budget is ever exceeded: an event that the
budget no longer covers is recorded without a charge.
"""

from collections.abc import Iterable
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import User
from ads import tokens
from ads.models import (
    Advertiser,
    Campaign,
    CampaignDay,
    Creative,
    Delivery,
    HiddenAdvertiser,
    LedgerEntry,
)
from ads.tokens import Promise
from ads.types import BidType, DeliveryKind, EntryKind, HideScope
from xsocial.kernel import clock, metrics
from xsocial.kernel.errors import Invalid, NotFound

_COUNTERS = {
    DeliveryKind.IMPRESSION: "impressions",
    DeliveryKind.CLICK: "clicks",
    DeliveryKind.HIDE: "hides",
}
_BILLED_BY = {DeliveryKind.IMPRESSION: BidType.CPM, DeliveryKind.CLICK: BidType.CPC}


def record_impression(*, viewer: User, token: str) -> bool:
    """The ad was seen (half of it for a second). True the first time, False for a repetition."""
    return _record(viewer, tokens.read(token, viewer_id=viewer.pk), DeliveryKind.IMPRESSION)


def record_impressions(*, viewer: User, tokens: Iterable[str]) -> int:
    """A batch of impressions from one page; those with a bad token are left out. Number of new ones."""
    num_new = 0
    for token in tokens:
        try:
            num_new += record_impression(viewer=viewer, token=token)
        except (Invalid, NotFound):
            metrics.counter("ads_rejected_events", "Ad events with an unusable token.").inc()
    return num_new


def record_click(*, viewer: User, token: str) -> str:
    """The ad was opened. Gives the address to go to; empty for a promoted post."""
    promise = tokens.read(token, viewer_id=viewer.pk)
    _record(viewer, promise, DeliveryKind.CLICK)
    return Creative.objects.values_list("url", flat=True).get(pk=promise.creative_id)


@transaction.atomic
def record_hide(*, viewer: User, token: str, scope: HideScope = HideScope.AD) -> None:
    """The viewer wants this ad, or everything of this advertiser, no more."""
    promise = tokens.read(token, viewer_id=viewer.pk)
    _record(viewer, promise, DeliveryKind.HIDE)
    if scope == HideScope.ADVERTISER:
        advertiser = Advertiser.objects.get(campaigns__creatives=promise.creative_id)
        HiddenAdvertiser.objects.get_or_create(viewer=viewer, advertiser=advertiser)


@transaction.atomic
def _record(viewer: User, promise: Promise, kind: DeliveryKind) -> bool:
    campaign = (
        Campaign.objects.select_for_update(of=("self", "advertiser"))
        .select_related("advertiser")
        .filter(creatives=promise.creative_id)
        .first()
    )
    if campaign is None:
        raise NotFound("This ad is gone.")
    day, _ = CampaignDay.objects.get_or_create(campaign=campaign, day=clock.now().date())
    price = _chargeable(campaign, day, promise, kind)
    delivery = _deliver_once(viewer, promise, kind, campaign, price)
    if delivery is None:
        return False
    _count(campaign, day.day, promise.creative_id, kind, price)
    if price:
        _charge(campaign.advertiser, delivery)
    return True


def _chargeable(campaign: Campaign, day: CampaignDay, promise: Promise, kind: DeliveryKind) -> int:
    """The promised price if this kind of event is billed and every budget still covers it, else 0."""
    billed = _BILLED_BY.get(kind)
    price = promise.price_of(billed) if billed else 0
    rooms = [campaign.daily_budget_micros - day.spent_micros, campaign.advertiser.balance_micros]
    if campaign.total_budget_micros is not None:
        rooms.append(campaign.total_budget_micros - campaign.spent_micros)
    return price if price <= min(rooms) else 0


def _deliver_once(
    viewer: User, promise: Promise, kind: DeliveryKind, campaign: Campaign, price: int
) -> Delivery | None:
    """The new event, or None when it was recorded before."""
    try:
        with transaction.atomic():
            return Delivery.objects.create(
                impression_id=promise.impression_id,
                kind=kind,
                campaign=campaign,
                creative_id=promise.creative_id,
                viewer=viewer,
                request_id=promise.request_id,
                price_micros=price,
            )
    except IntegrityError:
        return None


def _count(campaign: Campaign, day: date, creative_id: int, kind: DeliveryKind, price: int) -> None:
    counter = _COUNTERS[kind]
    Creative.objects.filter(pk=creative_id).update(**{counter: F(counter) + 1})
    CampaignDay.objects.filter(campaign=campaign, day=day).update(
        **{counter: F(counter) + 1}, spent_micros=F("spent_micros") + price
    )
    if price:
        Campaign.objects.filter(pk=campaign.pk).update(spent_micros=F("spent_micros") + price)


def _charge(advertiser: Advertiser, delivery: Delivery) -> None:
    price = delivery.price_micros
    Advertiser.objects.filter(pk=advertiser.pk).update(balance_micros=F("balance_micros") - price)
    LedgerEntry.objects.create(advertiser=advertiser, kind=EntryKind.CHARGE, amount_micros=-price, delivery=delivery)
