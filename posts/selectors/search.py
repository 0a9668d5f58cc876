"""Finding posts and hashtags by words. Whatever is typed is data, never a syntax error."""

from datetime import timedelta
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, F, Q, QuerySet

from posts.models import Post, PostTag, Tag
from posts.models.post import SEARCH_CONFIG, SEARCH_VECTOR
from posts.selectors.details import detailed
from posts.selectors.muting import without_muted
from posts.selectors.visible import Viewer, viewer_id, visible_to
from posts.types import Visibility
from xsocial.kernel import clock
from xsocial.kernel.paging import Cursor, paged

QUERY_MAX_LENGTH = 200
ACTIVE_WITHIN = timedelta(days=1)
# A tag is active when this many different people used it, so that nobody makes one alone.
MIN_AUTHORS = 3
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


def active_tags(*, limit: int) -> list[dict[str, Any]]:
    """The tags most people used in public in the last day: `name`, `num_authors` and `num_posts` of each.

    Posts that are kept from the public, as spam is, do not count, nor do tags that an operator keeps out.
    """
    recent = visible_to(None).filter(created_at__gte=clock.now() - ACTIVE_WITHIN, visibility=Visibility.PUBLIC)
    links = PostTag.objects.filter(tag__may_trend=True, post__in=recent)
    counted = links.values(name=F("tag__name")).annotate(
        num_authors=Count("post__author", distinct=True), num_posts=Count("post")
    )
    return list(counted.filter(num_authors__gte=MIN_AUTHORS).order_by("-num_authors", "name")[:limit])
