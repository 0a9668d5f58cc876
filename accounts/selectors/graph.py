"""A person's edges as arrays, no order promised; on every page's path, hence in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson
from django.db.models import Q, QuerySet

from accounts.models import (
    Follow,
    MutedKeyword,
)
from xsocial.kernel import clock, sql


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
    muted_keywords: tuple[str, ...] = ()
    gender: str = ""  # as declared
    snoozed_topic_ids: tuple[int, ...] = ()


# Whose edge of each kind: the other end, given the person. A mute or subscription may have ended.
_CURRENT = "(expires_at IS NULL OR expires_at > %(now)s)"
_ENDS = {
    "following": "SELECT followee_id FROM accounts_follow WHERE follower_id = %(who)s",
    "blocked": "SELECT blocked_id FROM accounts_block WHERE blocker_id = %(who)s",
    "blocked_by": "SELECT blocker_id FROM accounts_block WHERE blocked_id = %(who)s",
    "muted": f"SELECT muted_id FROM accounts_mute WHERE muter_id = %(who)s AND {_CURRENT}",
    "subscribed": f"SELECT author_id FROM accounts_creatorsubscription WHERE subscriber_id = %(who)s AND {_CURRENT}",
    "topics": "SELECT topic_id FROM accounts_followedtopic WHERE user_id = %(who)s AND NOT is_snoozed",
    "snoozed_topics": "SELECT topic_id FROM accounts_followedtopic WHERE user_id = %(who)s AND is_snoozed",
    "starter_packs": "SELECT pack_id FROM accounts_starterpackfollow WHERE user_id = %(who)s",
}
_FOLLOWERS_AMONG = f"""
SELECT {sql.packed("follower_id")} FROM accounts_follow
 WHERE followee_id = %(who)s AND follower_id = ANY(%(ids)s::bigint[])
"""
_PACKED = {name: f"(SELECT {sql.packed('x')} FROM ({ends}) AS e (x))" for name, ends in _ENDS.items()}
_ALL = "SELECT " + ", ".join(_PACKED.values())


@dataclass(frozen=True, slots=True)
class Edges:
    """Everybody and everything a person is tied to, as arrays of ids."""

    following: np.ndarray
    blocked: np.ndarray
    blocked_by: np.ndarray
    muted: np.ndarray
    subscribed: np.ndarray
    topics: np.ndarray
    snoozed_topics: np.ndarray
    starter_packs: np.ndarray


def edges(user_id: int) -> Edges:
    """All of a person's edges in one query; what has expired counts as absent."""
    found = sql.row(_ALL, _who(user_id)) or ()
    return Edges(*map(sql.unpacked, found))


def following_ids(user_id: int) -> np.ndarray:
    """Whom they follow."""
    return _ids("following", user_id)


def follower_ids(user_id: int) -> np.ndarray:
    """Who follows them."""
    return _column(Follow.objects.filter(followee_id=user_id), "follower_id")


def followers_among(user_id: int, candidates: Iterable[int] | np.ndarray) -> np.ndarray:
    """Which of these accounts follow them."""
    found = sql.row(_FOLLOWERS_AMONG, {"who": user_id, "ids": sql.bigints(candidates)})
    return sql.unpacked(found[0] if found else None)


def blocked_ids(user_id: int) -> np.ndarray:
    """Whom they block."""
    return _ids("blocked", user_id)


def blocked_by_ids(user_id: int) -> np.ndarray:
    """Who blocks them."""
    return _ids("blocked_by", user_id)


def muted_ids(user_id: int) -> np.ndarray:
    """Whom they mute now; an expired mute counts as absent."""
    return _ids("muted", user_id)


def subscribed_author_ids(user_id: int) -> np.ndarray:
    """Authors whose subscriber-only posts they may read now."""
    return _ids("subscribed", user_id)


def followed_topic_ids(user_id: int) -> np.ndarray:
    """Topics they follow."""
    return _ids("topics", user_id)


def snoozed_topic_ids(user_id: int) -> np.ndarray:
    """Topics they do not want recommended."""
    return _ids("snoozed_topics", user_id)


def followed_starter_pack_ids(user_id: int) -> np.ndarray:
    """Starter packs they follow."""
    return _ids("starter_packs", user_id)


def _ids(kind: str, user_id: int) -> np.ndarray:
    found = sql.row(f"SELECT {_PACKED[kind]}", _who(user_id))
    return sql.unpacked(found[0] if found else None)


def _who(user_id: int) -> dict[str, object]:
    return {"who": user_id, "now": clock.now()}


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


_SETTINGS = """
SELECT u.followers_count, u.following_count, u.language, u.country_code, u.birth_year, u.is_staff,
       coalesce(p.allows_recommendations, true), coalesce(p.shows_unscreened, false),
       coalesce(p.shows_sensitive, false), coalesce(p.hides_videos, false), coalesce(p.personalises_ads, true),
       coalesce(p.languages::text, '[]'),
       u.gender,
       ARRAY(SELECT topic_id FROM accounts_followedtopic WHERE user_id = u.id AND is_snoozed ORDER BY topic_id),
       ARRAY(SELECT phrase FROM accounts_mutedkeyword WHERE user_id = u.id AND CURRENT ORDER BY id)
  FROM accounts_user u LEFT JOIN accounts_feedpreferences p ON p.user_id = u.id
 WHERE u.id = %(who)s
""".replace("CURRENT", _CURRENT)


def viewer_settings(user_id: int) -> ViewerSettings:
    """One query for profile and settings; defaults where there is no such person or no row."""
    found = sql.row(_SETTINGS, _who(user_id))
    if found is None:
        return ViewerSettings()
    *values, languages, gender, snoozed, keywords = found
    return ViewerSettings(
        *values,
        languages=tuple(orjson.loads(languages)),
        muted_keywords=tuple(keywords),
        gender=gender,
        snoozed_topic_ids=tuple(snoozed),
    )


def _current() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=clock.now())


def _column(rows: QuerySet, column: str) -> np.ndarray:
    return np.fromiter(rows.values_list(column, flat=True), np.int64)


# People who follow thousands, who follow thousands, are millions of rows: ASKED and HEARD bound the work.
ASKED, HEARD = 60, 100
_AROUND = """
WITH mine AS (SELECT id, followee_id FROM accounts_follow WHERE follower_id = %(who)s),
asked AS (SELECT followee_id AS id FROM mine ORDER BY id DESC LIMIT %(asked)s),
counted AS (
    SELECT f.followee_id AS id, count(*) AS times
      FROM asked
      JOIN LATERAL (
           SELECT followee_id FROM accounts_follow WHERE follower_id = asked.id ORDER BY id DESC LIMIT %(heard)s
           ) AS f ON true
     WHERE f.followee_id <> ALL(%(exclude)s::bigint[]) AND f.followee_id NOT IN (SELECT followee_id FROM mine)
     GROUP BY f.followee_id
     ORDER BY times DESC, f.followee_id DESC
     LIMIT 20 * %(limit)s)
SELECT c.id
  FROM counted c
  JOIN accounts_user u ON u.id = c.id AND u.is_active AND u.suspended_at IS NULL AND u.deactivated_at IS NULL
 WHERE NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = %(who)s AND b.blocked_id = c.id)
   AND NOT EXISTS (SELECT 1 FROM accounts_block b WHERE b.blocker_id = c.id AND b.blocked_id = %(who)s)
 ORDER BY c.times DESC, c.id DESC
 LIMIT %(limit)s
"""


def friends_of_friends(user_id: int, *, exclude: Iterable[int] = (), limit: int = 3) -> np.ndarray:
    """Accounts that most of those they followed last follow, and that they do not follow yet. One query."""
    left_out = sql.bigints([user_id, *exclude])
    params = {"who": user_id, "exclude": left_out, "limit": limit, "asked": ASKED, "heard": HEARD}
    return np.array([found for (found,) in sql.rows(_AROUND, params)], np.int64)
