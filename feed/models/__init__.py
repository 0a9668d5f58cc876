"""Tables of the feed: weights and parameters, served history, receipts, prompts."""

from feed.models.prompt import Prompt
from feed.models.receipt import Receipt
from feed.models.served import ServedHistory
from feed.models.weights import FeatureParameter, WeightChange, WeightSet

__all__ = [
    "FeatureParameter",
    "Prompt",
    "Receipt",
    "ServedHistory",
    "WeightChange",
    "WeightSet",
]
