"""A person's edges as arrays: one query each, no order promised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, Q, QuerySet

from accounts.models import (
    Block,
    CreatorSubscription,
    FeedPreferences,
    Follow,
    FollowedTopic,
    Mute,
    MutedKeyword,
    StarterPackFollow,
    User,
)
from xsocial.kernel import clock


@dataclass(frozen=True, slots=True)
class ViewerSettings:
    """What of a viewer's profile and settings shapes their feed. Defaults: an unknown viewer."""

    follower_count: int = 0
    following_count: int = 0
    language: str = ""
    country_code: str = ""
    birth_year: int | None = None
    is_staff: bool = False
    allows_recommendations: bool = True
    shows_unscreened: bool = False
    shows_sensitive: bool = False
    hides_videos: bool = False
    personalises_ads: bool = True
    languages: tuple[str, ...] = ()


def following_ids(user_id: int) -> np.ndarray:
    """Whom they follow."""
    return _ids(Follow.objects.filter(follower_id=user_id), "followee_id")


def follower_ids(user_id: int) -> np.ndarray:
    """Who follows them."""
    return _ids(Follow.objects.filter(followee_id=user_id), "follower_id")


def followers_among(user_id: int, candidates: Iterable[int]) -> np.ndarray:
    """Which of these accounts follow them."""
    return _ids(Follow.objects.filter(followee_id=user_id, follower_id__in=list(candidates)), "follower_id")


def blocked_ids(user_id: int) -> np.ndarray:
    """Whom they block."""
    return _ids(Block.objects.filter(blocker_id=user_id), "blocked_id")


def blocked_by_ids(user_id: int) -> np.ndarray:
    """Who blocks them."""
    return _ids(Block.objects.filter(blocked_id=user_id), "blocker_id")


def muted_ids(user_id: int) -> np.ndarray:
    """Whom they mute now; an expired mute counts as absent."""
    return _ids(Mute.objects.filter(_current(), muter_id=user_id), "muted_id")


def subscribed_author_ids(user_id: int) -> np.ndarray:
    """Authors whose subscriber-only posts they may read now."""
    return _ids(CreatorSubscription.objects.filter(_current(), subscriber_id=user_id), "author_id")


def followed_topic_ids(user_id: int) -> np.ndarray:
    """Topics they follow."""
    return _ids(FollowedTopic.objects.filter(user_id=user_id, is_snoozed=False), "topic_id")


def snoozed_topic_ids(user_id: int) -> np.ndarray:
    """Topics they do not want recommended."""
    return _ids(FollowedTopic.objects.filter(user_id=user_id, is_snoozed=True), "topic_id")


def followed_starter_pack_ids(user_id: int) -> np.ndarray:
    """Starter packs they follow."""
    return _ids(StarterPackFollow.objects.filter(user_id=user_id), "pack_id")


def muted_keywords(user_id: int) -> list[str]:
    """Words and phrases they do not want to read, unexpired."""
    rows = MutedKeyword.objects.filter(_current(), user_id=user_id)
    return list(rows.values_list("phrase", flat=True))


def muted_keywords_of(user_ids: Iterable[int]) -> dict[int, list[str]]:
    """The same for several people in one query; those who mute no words are left out."""
    found: dict[int, list[str]] = {}
    rows = MutedKeyword.objects.filter(_current(), user_id__in=list(user_ids))
    for user_id, phrase in rows.values_list("user_id", "phrase"):
        found.setdefault(user_id, []).append(phrase)
    return found


def viewer_settings(user_id: int) -> ViewerSettings:
    """One query for profile and settings; defaults where there is no such person or no row."""
    user = User.objects.select_related("feed_preferences").filter(pk=user_id).first()
    if user is None:
        return ViewerSettings()
    wishes = getattr(user, "feed_preferences", None) or FeedPreferences()
    return ViewerSettings(
        follower_count=user.followers_count,
        following_count=user.following_count,
        language=user.language,
        country_code=user.country_code,
        birth_year=user.birth_year,
        is_staff=user.is_staff,
        allows_recommendations=wishes.allows_recommendations,
        shows_unscreened=wishes.shows_unscreened,
        shows_sensitive=wishes.shows_sensitive,
        hides_videos=wishes.hides_videos,
        personalises_ads=wishes.personalises_ads,
        languages=tuple(wishes.languages or ()),
    )


def _current() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=clock.now())


def _ids(rows: QuerySet, column: str) -> np.ndarray:
    return np.fromiter(rows.values_list(column, flat=True), np.int64)


def friends_of_friends(user_id: int, *, exclude: Iterable[int] = (), limit: int = 3) -> np.ndarray:
    """Accounts that most of those they follow follow, and that they do not follow yet. One query."""
    mine = Follow.objects.filter(follower_id=user_id).values("followee_id")
    blocks = Block.objects.filter(Q(blocker_id=user_id) | Q(blocked_id=user_id))
    around = (
        Follow.objects.filter(
            follower_id__in=mine,
            followee__is_active=True,
            followee__suspended_at=None,
            followee__deactivated_at=None,
        )
        .exclude(followee_id__in=mine)
        .exclude(followee_id__in=[user_id, *exclude])
        .exclude(followee_id__in=blocks.values("blocked_id"))
        .exclude(followee_id__in=blocks.values("blocker_id"))
    )
    ranked = around.values("followee_id").annotate(shared=Count("id")).order_by("-shared", "-followee_id")
    return np.fromiter(ranked.values_list("followee_id", flat=True)[:limit], np.int64)
