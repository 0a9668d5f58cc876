"""Posts like one post, for whoever looks at it: near in content, and recommendable to this viewer."""

import orjson

from moderation import selectors as moderation
from moderation.visibility import SafetyLevel
from posts import selectors as posts
from posts.models import Post
from posts.selectors.muting import without_muted
from posts.selectors.similar import nearest
from posts.selectors.visible import Viewer, viewer_id
from xsocial.kernel import redis

SHOWN = 5
FETCHED = 40  # of which this viewer may be shown some
CACHED_S = 300
#: The embedder reads English. Of other languages it would match spelling rather than sense.
LANGUAGES = ("en",)


def similar_posts(viewer: Viewer, post: Post, *, limit: int = SHOWN) -> list[Post]:
    """The posts most like one that the viewer may open and be recommended, detailed; nearest first."""
    return posts.posts_by_id(viewer, similar_ids(viewer, post))[:limit]


def similar_ids(viewer: Viewer, post: Post) -> list[int]:
    """What is most like a post and may be recommended to the viewer, nearest first; some may not be open to them.

    Neighbours are remembered for five minutes, whoever asked; who may see them is asked each time.
    """
    near = _neighbours(post.pk)
    if not near:
        return []
    verdicts = moderation.visibility(near, level=SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS, viewer=viewer)
    allowed = [post_id for post_id in near if post_id in verdicts and not verdicts[post_id].is_dropping]
    who = viewer_id(viewer)
    if who is not None and allowed:
        unmuted = without_muted(who, Post.objects.filter(pk__in=allowed)).values_list("pk", flat=True)
        kept = set(unmuted)
        allowed = [post_id for post_id in allowed if post_id in kept]
    return allowed


def _neighbours(post_id: int) -> list[int]:
    key = f"similar:{post_id}"
    try:
        store = redis.client("cache")
        if (known := store.get(key)) is not None:
            return orjson.loads(known)
    except redis.RedisError:
        store = None
    found = [row.post_id for row in nearest(post_id, languages=LANGUAGES, limit=FETCHED)]
    if store is not None:
        try:
            store.set(key, orjson.dumps(found), ex=CACHED_S)
        except redis.RedisError:
            return found
    return found
