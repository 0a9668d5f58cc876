"""Questions about posts. Every read for a viewer goes through `visible_to`."""

from posts.selectors.details import detailed, posts_by_id, viewer_marks
from posts.selectors.notifications import grouped, notifications, unread_count
from posts.selectors.search import search_posts, search_tags
from posts.selectors.threads import Thread, thread
from posts.selectors.timelines import (
    bookmarks,
    edit_history,
    favorites,
    favorites_of,
    home,
    profile_timeline,
    public_timeline,
    reposts_of,
    tag_timeline,
)
from posts.selectors.visible import get_visible_post, visible_ids, visible_to
from xsocial.kernel.paging import Cursor, paged

__all__ = [
    "Cursor",
    "Thread",
    "bookmarks",
    "detailed",
    "edit_history",
    "favorites",
    "favorites_of",
    "get_visible_post",
    "grouped",
    "home",
    "notifications",
    "paged",
    "posts_by_id",
    "profile_timeline",
    "public_timeline",
    "reposts_of",
    "search_posts",
    "search_tags",
    "tag_timeline",
    "thread",
    "unread_count",
    "viewer_marks",
    "visible_ids",
    "visible_to",
]
