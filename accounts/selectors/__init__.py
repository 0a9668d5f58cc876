"""Questions about people. The graph as arrays of ids, for ranking, is in `accounts.selectors.graph`."""

from accounts.selectors.interests import (
    followed_topics,
    get_starter_pack,
    get_topic,
    muted_keyword_rows,
    preferences,
    starter_packs,
    topics,
)
from accounts.selectors.people import (
    blocks,
    follow_requests,
    followers,
    following,
    get_user,
    get_user_by_id,
    mutes,
    reachable,
    relationship,
    relationships,
    search_people,
    who_to_follow,
)
from accounts.selectors.people_lists import addable, get_list, list_members, lists_with, own_lists

__all__ = [
    "addable",
    "blocks",
    "follow_requests",
    "followed_topics",
    "followers",
    "following",
    "get_list",
    "get_starter_pack",
    "get_topic",
    "get_user",
    "get_user_by_id",
    "list_members",
    "lists_with",
    "muted_keyword_rows",
    "mutes",
    "own_lists",
    "preferences",
    "reachable",
    "relationship",
    "relationships",
    "search_people",
    "starter_packs",
    "topics",
    "who_to_follow",
]
