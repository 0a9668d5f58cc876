"""Tables of the feed: weights and parameters, served history, receipts, prompts."""

from feed.models.features import Codebook, InferredTopics, MutualFollowSignature, PostCommunities, SemanticId
from feed.models.policy import PolicyExclusion
from feed.models.prompt import Prompt
from feed.models.reach import AuthorReach
from feed.models.receipt import LoadSettings, Receipt, ReceiptLook
from feed.models.served import ServedHistory
from feed.models.standing import AuthorStanding
from feed.models.tuning import FeedTuning
from feed.models.weights import FeatureParameter, WeightChange, WeightSet

__all__ = [
    "AuthorReach",
    "AuthorStanding",
    "Codebook",
    "FeatureParameter",
    "FeedTuning",
    "InferredTopics",
    "LoadSettings",
    "MutualFollowSignature",
    "PolicyExclusion",
    "PostCommunities",
    "Prompt",
    "Receipt",
    "ReceiptLook",
    "SemanticId",
    "ServedHistory",
    "WeightChange",
    "WeightSet",
]
