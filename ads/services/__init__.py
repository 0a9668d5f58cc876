"""What can be done with ads: set up campaigns, serve them to a viewer, record what became of them."""

from ads.services.campaigns import (
    check_promotable,
    create_advertiser,
    create_campaign,
    deposit,
    review_campaign,
    set_campaign_status,
)
from ads.services.delivery import record_click, record_hide, record_impression, record_impressions
from ads.services.serving import eligible_ads

__all__ = [
    "check_promotable",
    "create_advertiser",
    "create_campaign",
    "deposit",
    "eligible_ads",
    "record_click",
    "record_hide",
    "record_impression",
    "record_impressions",
    "review_campaign",
    "set_campaign_status",
]
