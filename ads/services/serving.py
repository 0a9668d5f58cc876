"""Which ads a viewer gets: eligibility in the database, then the auction.

Serving writes nothing. What was decided travels in each ad's signed token and comes back with the events.
"""

from datetime import datetime
from typing import cast

from ads import auction, pacing, roster, targeting, tokens
from ads.models import Campaign, Creative
from ads.params import SERVING
from ads.roster import Entry
from ads.selectors import Servable, servable
from ads.types import AdCandidate, AdViewer, BidType, Pacing
from xsocial.kernel import clock, ids

IMPRESSIONS_PER_CPM_BID = 1000


def eligible_ads(*, viewer: AdViewer, limit: int, request_id: int = 0) -> list[AdCandidate]:
    """The winners of the auction for this page load, best first, at most one per advertiser.

    `insert_position` rises by a fixed gap, from which the blenders read the spacing; ask for more ads than
    fit, since adjacency controls may refuse some.
    """
    now = clock.now()
    offers = servable(viewer, now)
    entries = roster.of([offer.creative_id for offer in offers])
    bids = [_bid(entry, offer, viewer, now) for offer in offers if (entry := entries.get(offer.creative_id))]
    wins = auction.run(bids, places=limit, reserve_micros=SERVING.reserve_micros)
    return [_candidate(win, place, viewer, request_id) for place, win in enumerate(wins)]


def _bid(entry: Entry, offer: Servable, viewer: AdViewer, now: datetime) -> auction.Bid[Entry]:
    campaign = entry.creative.campaign
    click_rate = auction.smoothed_rate(events=offer.clicks, trials=offer.impressions, prior=SERVING.click_prior)
    hide_rate = auction.smoothed_rate(events=offer.hides, trials=offer.impressions, prior=SERVING.hide_prior)
    relevance = targeting.relevance(entry.targeting, viewer, beyond_topics=SERVING.beyond_topics)
    click_rate *= relevance
    is_per_click = campaign.bid_type == BidType.CPC
    per_impression = relevance * campaign.max_bid_micros / IMPRESSIONS_PER_CPM_BID
    return auction.Bid(
        entry=entry,
        group=campaign.advertiser_id,
        order=offer.creative_id,
        micros=campaign.max_bid_micros if is_per_click else per_impression,
        rate=click_rate if is_per_click else 1.0,
        pacing=_pacing(campaign, offer.spent_today, now),
        experience=SERVING.click_worth_micros * click_rate - SERVING.hide_cost_micros * hide_rate,
    )


def _pacing(campaign: Campaign, spent_today: int, now: datetime) -> float:
    return pacing.pacing_multiplier(
        pacing=Pacing(campaign.pacing),
        spent_micros=spent_today,
        budget_micros=campaign.daily_budget_micros,
        share=pacing.elapsed_share(now, starts_at=campaign.starts_at, ends_at=campaign.ends_at),
        head_start=SERVING.pacing_head_start,
        minimum=SERVING.min_pacing,
    )


def _candidate(win: auction.Win[Entry], place: int, viewer: AdViewer, request_id: int) -> AdCandidate:
    creative, campaign = win.entry.creative, win.entry.creative.campaign
    promise = tokens.Promise(
        impression_id=ids.next_id(),
        creative_id=creative.pk,
        viewer_id=viewer.id,
        request_id=request_id,
        bid_type=campaign.bid_type,
        price_micros=win.price_micros,
        served_ms=clock.now_ms(),
    )
    return AdCandidate(
        id=creative.pk,
        impression_id=promise.impression_id,
        campaign_id=campaign.pk,
        advertiser_id=campaign.advertiser_id,
        advertiser_name=campaign.advertiser.name,
        author_id=_author_id(creative),
        post_id=creative.post_id,
        headline=creative.headline,
        text=creative.text,
        url=creative.url,
        image_url=creative.image.url if creative.image else "",
        insert_position=SERVING.first_position + place * SERVING.position_gap,
        control=creative.control,
        bid_type=BidType(campaign.bid_type),
        price_micros=win.price_micros,
        score=win.score,
        token=tokens.sign(promise),
        why=targeting.reasons(win.entry.targeting, viewer),
    )


def _author_id(creative: Creative) -> int:
    """Who speaks: the promoted post's author, else the owner, without whom nothing is servable."""
    return creative.post.author_id if creative.post else cast(int, creative.campaign.advertiser.owner_id)
