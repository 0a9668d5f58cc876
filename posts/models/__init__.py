"""Tables of posts and of everything that happens to them."""

from posts.models.embedding import EmbeddingVersion, PostEmbedding
from posts.models.engagement import Bookmark, Engagement, Impression
from posts.models.idempotency import IdempotencyKey
from posts.models.marker import Marker
from posts.models.media import Media, MediaFingerprint
from posts.models.notification import Notification
from posts.models.poll import Ballot, Poll
from posts.models.post import Pin, Post, PostCounts, PostEdit
from posts.models.scheduled import ScheduledPost
from posts.models.tagging import Mention, PostTag, PostTopic, Tag

__all__ = [
    "Ballot",
    "Bookmark",
    "EmbeddingVersion",
    "Engagement",
    "IdempotencyKey",
    "Impression",
    "Marker",
    "Media",
    "MediaFingerprint",
    "Mention",
    "Notification",
    "Pin",
    "Poll",
    "Post",
    "PostCounts",
    "PostEdit",
    "PostEmbedding",
    "PostTag",
    "PostTopic",
    "ScheduledPost",
    "Tag",
]
