"""What can be done with posts. Keyword arguments, one transaction each."""

from posts.services.creation import create_post
from posts.services.deletion import delete_post
from posts.services.edits import edit_post
from posts.services.engagements import (
    block_author,
    bookmark,
    favorite,
    follow_author,
    mute_author,
    record_engagement,
    unbookmark,
    unfavorite,
)
from posts.services.erasure import erase_traces
from posts.services.impressions import record_impressions
from posts.services.markers import mark_read
from posts.services.media import describe_media, upload_media
from posts.services.notifications import (
    clear_notifications,
    dismiss_notifications,
    mark_notifications_read,
    notify,
    notify_authors,
)
from posts.services.pins import pin, unpin
from posts.services.polls import close_ended, vote
from posts.services.reposts import repost, undo_repost
from posts.services.scheduling import cancel_scheduled, change_scheduled, publish_due, schedule_post
from posts.services.withholding import release, withhold

__all__ = [
    "block_author",
    "bookmark",
    "cancel_scheduled",
    "change_scheduled",
    "clear_notifications",
    "close_ended",
    "create_post",
    "delete_post",
    "describe_media",
    "dismiss_notifications",
    "edit_post",
    "erase_traces",
    "favorite",
    "follow_author",
    "mark_notifications_read",
    "mark_read",
    "mute_author",
    "notify",
    "notify_authors",
    "pin",
    "publish_due",
    "record_engagement",
    "record_impressions",
    "release",
    "repost",
    "schedule_post",
    "unbookmark",
    "undo_repost",
    "unfavorite",
    "unpin",
    "upload_media",
    "vote",
    "withhold",
]
