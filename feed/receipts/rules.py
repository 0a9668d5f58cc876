"""Every rule that can leave a post out, in words, and where its setting is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``words`` complete "left out because"; ``setting`` and ``address`` are empty where there is no choice."""

    words: str
    setting: str = ""
    address: str = ""


_FEED = "/settings/feed"
_FILTERS = "/settings/filters"

#: These only stood behind others; every other rule keeps a post out however good it is.
LOWER = frozenset({"TopKScoreSelector", "PageFull"})
#: By component; a receipt of an older build may name others.
RULES = {
    "AgeFilter": Rule("Too old"),
    "AncillaryVFFilter": Rule(
        "Replies to, quotes or reposts a post held back by moderation", "What moderation may show you", _FEED
    ),
    "AuthorSocialgraphFilter": Rule("Blocked or muted", "Your blocks and mutes", "/settings/signals"),
    "ControlledSourceReexposureFilter": Rule("Shown to you often enough, or another card of it is here"),
    "CoreDataHydrationFilter": Rule("Deleted meanwhile"),
    "DedupConversationFilter": Rule("Another post of the same conversation was better"),
    "DropDuplicatesFilter": Rule("Found twice"),
    "IneligibleSubscriptionFilter": Rule("For subscribers only"),
    "InventoryHoldoutFilter": Rule("Held back for a measurement of what posts are worth"),
    "LanguageFilter": Rule("A stranger's post in a language you did not choose", "Your languages", _FEED),
    "MutedKeywordFilter": Rule("Has a word you muted", "Your muted words", _FILTERS),
    "NewUserMinEngagementFilter": Rule("From a stranger, and hardly anybody has reacted to it yet"),
    "NewUserTopicIdsFilter": Rule("Outside the topics you chose", "Your topics", _FEED),
    "OONNsfwSimclustersFilter": Rule("From a stranger who posts adult content", "Sensitive posts", _FEED),
    "OONRetweetReplyFilter": Rule("A stranger's repost or reply"),
    "PageFull": Rule("The page was full"),
    "PolicyExclusionFilter": Rule("From an account that the law or our rules keep out of recommendations"),
    "PreviouslySeenPostsBackupFilter": Rule(
        "You saw it already, by our record of what you were shown", "Following shows seen posts too", "/following"
    ),
    "PreviouslySeenPostsFilter": Rule("You saw it already", "Following shows seen posts too", "/following"),
    "PreviouslyServedPostsFilter": Rule("It was on an earlier page", "Following shows seen posts too", "/following"),
    "RetweetDeduplicationFilter": Rule("The same post, reposted again"),
    "ScreenedFilter": Rule("Not checked by moderation yet", "Unchecked posts", _FEED),
    "SelfTweetFilter": Rule("Your own post"),
    "TopKScoreSelector": Rule("Other posts were expected to be worth more to you"),
    "TopicIdsFilter": Rule("Another topic, or one you snoozed", "Your topics", _FEED),
    "VFFilter": Rule("Held back by moderation", "What moderation may show you", _FEED),
    "VideoFilter": Rule("You asked for no videos", "Videos in the feed", _FEED),
}


def of(component: str) -> Rule:
    """The rule of a component; its name where it has no words."""
    return RULES.get(component, Rule(component))
