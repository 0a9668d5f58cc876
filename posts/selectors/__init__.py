"""Questions about posts. Every read for a viewer goes through `visible_to`."""

from posts.selectors.audience import home_readers, is_in_public, list_readers, openers, tags_in_public, without_muting
from posts.selectors.details import detailed, posts_by_id, viewer_marks
from posts.selectors.notifications import grouped, notification_about, notifications, unread_count
from posts.selectors.polls import ShownPoll, polls_of
from posts.selectors.scheduled import scheduled_post, scheduled_posts
from posts.selectors.search import matching_posts, search_posts, search_tags
from posts.selectors.threads import Conversation, Thread, conversation, gone, thread
from posts.selectors.timelines import (
    bookmarks,
    edit_history,
    favorites,
    favorites_of,
    home,
    home_posts,
    kept,
    list_posts,
    list_timeline,
    page_ids,
    pinned_ids,
    profile_posts,
    public_posts,
    public_timeline,
    reposts_of,
    tag_timeline,
    tagged_posts,
)
from posts.selectors.trends import active_tags
from posts.selectors.visible import get_visible_post, visible_ids, visible_to
from xsocial.kernel.paging import Cursor, paged

__all__ = [
    "Conversation",
    "Cursor",
    "ShownPoll",
    "Thread",
    "active_tags",
    "bookmarks",
    "conversation",
    "detailed",
    "edit_history",
    "favorites",
    "favorites_of",
    "get_visible_post",
    "gone",
    "grouped",
    "home",
    "home_posts",
    "home_readers",
    "is_in_public",
    "kept",
    "list_posts",
    "list_readers",
    "list_timeline",
    "matching_posts",
    "notification_about",
    "notifications",
    "openers",
    "page_ids",
    "paged",
    "pinned_ids",
    "polls_of",
    "posts_by_id",
    "profile_posts",
    "public_posts",
    "public_timeline",
    "reposts_of",
    "scheduled_post",
    "scheduled_posts",
    "search_posts",
    "search_tags",
    "tag_timeline",
    "tagged_posts",
    "tags_in_public",
    "thread",
    "unread_count",
    "viewer_marks",
    "visible_ids",
    "visible_to",
    "without_muting",
]
