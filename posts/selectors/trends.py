"""Tags that are active: used in public by several people, each in words of their own."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Func, QuerySet

from posts.models import Post, PostTag
from posts.selectors.visible import visible_to
from posts.types import Visibility
from xsocial.kernel import clock

#: Of texts, by the ids of their posts: those that may make a tag active, each with the first that says nearly the same.
VoicesSource = Callable[[Mapping[int, str]], Mapping[int, int]]

ACTIVE_WITHIN = timedelta(days=1)
# A tag is active when this many different people used it, so that nobody makes one alone.
MIN_AUTHORS = 3
TAGS_READ = 30
POSTS_READ = 50  # of one tag, the newest


def _every_voice(texts: Mapping[int, str]) -> Mapping[int, int]:
    return {post_id: post_id for post_id in texts}


_voices_source: VoicesSource = _every_voice


def use_voices_source(source: VoicesSource) -> None:
    """Ask `source` from now on which posts count: layers above know, this one does not."""
    global _voices_source
    _voices_source = source


def active_tags(*, limit: int) -> list[dict[str, Any]]:
    """The tags most people used in public in the last day: `name`, `num_authors` and `num_posts` of each.

    Posts that are kept from the public or would not be recommended, as spam is, do not count, nor do tags that an
    operator keeps out. What several people say in nearly the same words counts once. Of a tag with more posts than
    are read the newest speak for all.
    """
    recent = visible_to(None).filter(created_at__gte=clock.now() - ACTIVE_WITHIN, visibility=Visibility.PUBLIC)
    links = PostTag.objects.filter(tag__may_trend=True, post__in=recent)
    used = _used(links)
    posts = Post.objects.only("author_id", "text").in_bulk({post_id for row in used for post_id in row["newest"]})
    first = _voices_source({post_id: posts[post_id].text for post_id in sorted(posts)}) if posts else {}
    authors = [{pk: posts[pk].author_id for pk in sorted(row["newest"]) if pk in posts} for row in used]
    found = [tag for row, theirs in zip(used, authors, strict=True) if (tag := _active(row, theirs, first))]
    return sorted(found, key=lambda tag: (-tag["num_authors"], tag["name"]))[:limit]


def _used(links: QuerySet[PostTag]) -> list[dict[str, Any]]:
    """The tags that look active, each with its newest posts."""
    counted = links.values(name=F("tag__name")).annotate(
        num_authors=Count("post__author", distinct=True),
        num_posts=Count("post"),
        newest=Func(ArrayAgg("post_id", order_by="-post_id"), template=f"(%(expressions)s)[1:{POSTS_READ}]"),
    )
    return list(counted.filter(num_authors__gte=MIN_AUTHORS).order_by("-num_authors", "name")[:TAGS_READ])


def _active(row: dict[str, Any], authors: dict[int, int], first: Mapping[int, int]) -> dict[str, Any] | None:
    """The tag with what counts of its use, if enough does. `authors` has the posts read."""
    speakers: dict[int, int] = {}
    for post_id, author_id in authors.items():
        if post_id in first:
            speakers.setdefault(first[post_id], author_id)
    num_voices = len(set(speakers.values()))
    if num_voices < MIN_AUTHORS:
        return None
    return {
        "name": row["name"],
        "num_authors": round(row["num_authors"] * num_voices / len(set(authors.values()))),
        "num_posts": round(row["num_posts"] * len(speakers) / len(authors)),
    }
