"""Tables of people and of what stands between them."""

from accounts.models.graph import (
    Block,
    CreatorSubscription,
    Follow,
    FollowRequest,
    Mute,
)
from accounts.models.interest import (
    FollowedTopic,
    StarterPack,
    StarterPackFollow,
    Topic,
)
from accounts.models.people_list import ListMembership, PeopleList
from accounts.models.preference import FeedPreferences, MutedKeyword
from accounts.models.user import User

__all__ = [
    "Block",
    "CreatorSubscription",
    "FeedPreferences",
    "Follow",
    "FollowRequest",
    "FollowedTopic",
    "ListMembership",
    "Mute",
    "MutedKeyword",
    "PeopleList",
    "StarterPack",
    "StarterPackFollow",
    "Topic",
    "User",
]
