"""Topics and starter packs to choose from, and what a person chose."""

from accounts.models import FeedPreferences, FollowedTopic, MutedKeyword, StarterPack, Topic, User
from xsocial.kernel.errors import NotFound


def topics() -> list[Topic]:
    """The whole vocabulary, in its order."""
    return list(Topic.objects.select_related("parent"))


def get_topic(slug: str) -> Topic:
    topic = Topic.objects.filter(slug=slug).first()
    if topic is None:
        raise NotFound("There is no such topic.")
    return topic


def followed_topics(user: User) -> list[FollowedTopic]:
    """Followed and snoozed topics, with `topic` loaded."""
    return list(FollowedTopic.objects.filter(user=user).select_related("topic").order_by("topic__position"))


def starter_packs() -> list[StarterPack]:
    """All packs with creator and members."""
    return list(StarterPack.objects.select_related("creator").prefetch_related("members"))


def starter_pack_ids(*, limit: int) -> list[int]:
    """Ids of the first packs in the platform's order."""
    return list(StarterPack.objects.values_list("id", flat=True)[:limit])


def get_starter_pack(slug: str) -> StarterPack:
    pack = StarterPack.objects.filter(slug=slug).first()
    if pack is None:
        raise NotFound("There is no such starter pack.")
    return pack


def muted_keyword_rows(user: User) -> list[MutedKeyword]:
    """Muted words with their ends, as the settings page lists them."""
    return list(MutedKeyword.objects.filter(user=user).order_by("phrase"))


def preferences(user: User) -> FeedPreferences:
    """The stored preferences, or an unsaved row of defaults."""
    return FeedPreferences.objects.filter(user=user).first() or FeedPreferences(user=user)
