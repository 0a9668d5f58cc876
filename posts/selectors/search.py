"""Finding posts and hashtags by words. Whatever is typed is data, never a syntax error."""

from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, Q, QuerySet

from posts.models import Post, Tag
from posts.models.post import SEARCH_CONFIG, SEARCH_VECTOR
from posts.selectors.details import detailed
from posts.selectors.muting import without_muted
from posts.selectors.visible import Viewer, viewer_id, visible_to
from posts.types import Visibility
from xsocial.kernel.paging import Cursor, paged

QUERY_MAX_LENGTH = 200
FIRST_PAGE = Cursor()


def matching_posts(viewer: Viewer, query: str) -> QuerySet[Post]:
    """Public posts, and one's own, that have all the words.

    Understands "quoted phrases", `or` and a minus before a word, as search boxes do.
    """
    words = " ".join(query.replace("\x00", "").split())[:QUERY_MAX_LENGTH]
    if not words:
        return Post.objects.none()
    who = viewer_id(viewer)
    posts = visible_to(viewer).filter(Q(visibility=Visibility.PUBLIC) | Q(author_id=who), repost_of__isnull=True)
    posts = posts.alias(found=SEARCH_VECTOR).filter(
        found=SearchQuery(words, config=SEARCH_CONFIG, search_type="websearch")
    )
    return posts if who is None else without_muted(who, posts)


def search_posts(
    viewer: Viewer, query: str, cursor: Cursor = FIRST_PAGE, *, author_id: int | None = None
) -> list[Post]:
    """A page of the matching posts, detailed, newest first."""
    posts = matching_posts(viewer, query)
    if author_id is not None:
        posts = posts.filter(author_id=author_id)
    return paged(detailed(viewer, posts), cursor)


def search_tags(query: str, *, limit: int = 20) -> list[Tag]:
    """Hashtags that begin with the text, most used first; each has `num_posts`."""
    start = query.replace("\x00", "").strip().removeprefix("#").casefold()[:100]
    if not start:
        return []
    tags = Tag.objects.filter(name__startswith=start)
    return list(tags.annotate(num_posts=Count("post_links")).order_by("-num_posts", "name")[:limit])
