"""Tables of advertising: who advertises, what, to whom, and what came of it."""

from ads.models.campaign import Advertiser, Campaign, Creative
from ads.models.delivery import CampaignDay, Delivery, HiddenAdvertiser, LedgerEntry

__all__ = [
    "Advertiser",
    "Campaign",
    "CampaignDay",
    "Creative",
    "Delivery",
    "HiddenAdvertiser",
    "LedgerEntry",
]
