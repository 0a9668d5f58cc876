"""Everything a post card needs, for many posts in a constant number of queries.

One hydration for every way of showing posts: pages and the REST API read the same `PostView`.
Row objects are fine here: this runs on the posts of one page, never on candidates.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from posts.models import Bookmark, Engagement, Media, Mention, Post, PostCounts, PostTag
from posts.selectors.visible import visible_to
from posts.types import EngagementKind


@dataclass(frozen=True)
class ViewerState:
    """What the viewer did about a post."""

    favorited: bool = False
    reposted: bool = False
    bookmarked: bool = False
    is_author: bool = False


@dataclass
class PostView:
    """One post as shown to one viewer.

    For a repost, `author` is the reposter and `repost_of` the shown post. `quote_of` is None for
    a quote the viewer may not open; `post.quote_of_id` still says that there is one.
    """

    post: Post
    author: User
    counts: PostCounts
    viewer: ViewerState = field(default_factory=ViewerState)
    media: list[Media] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    mentions: list[User] = field(default_factory=list)
    repost_of: "PostView | None" = None
    quote_of: "PostView | None" = None

    @property
    def shown(self) -> "PostView":
        """The view whose content is shown: the reposted one for a repost."""
        return self.repost_of or self


def present(post_ids: Sequence[int], viewer: User | None) -> list[PostView]:
    """Views in the order of `post_ids`; ids the viewer may not open are left out.

    Constant queries: posts, two levels of related posts, media, tags, mentions, and two for the
    viewer's own actions.
    """
    posts = _load(post_ids, viewer)
    related = _load(_related(posts.values()) - posts.keys(), viewer)
    deeper = _load(_related(related.values()) - posts.keys() - related.keys(), viewer)
    everything = {**deeper, **related, **posts}
    views = _views(everything, viewer)
    for view in views.values():
        view.repost_of = views.get(view.post.repost_of_id)
        view.quote_of = views.get(view.post.quote_of_id)
    return [views[pk] for pk in post_ids if pk in posts and _is_complete(views[pk])]


def _is_complete(view: PostView) -> bool:
    return not view.post.is_repost or view.repost_of is not None


def _related(posts: Iterable[Post]) -> set[int]:
    return {pk for post in posts for pk in (post.repost_of_id, post.quote_of_id) if pk is not None}


def _load(ids: Iterable[int], viewer: User | None) -> dict[int, Post]:
    wanted = set(ids)
    if not wanted:
        return {}
    rows = visible_to(viewer).filter(pk__in=wanted).select_related("author", "counts", "in_reply_to_user")
    return {post.pk: post for post in rows}


def _views(posts: dict[int, Post], viewer: User | None) -> dict[int, PostView]:
    media, tags, mentions = _media(posts), _tags(posts), _mentions(posts)
    done = _actions(posts, viewer)
    bookmarked = _bookmarked(posts, viewer)
    viewer_id = viewer.pk if viewer is not None else None
    return {
        pk: PostView(
            post=post,
            author=post.author,
            counts=post.counts,
            viewer=ViewerState(
                favorited=(pk, EngagementKind.FAVORITE) in done,
                reposted=(pk, EngagementKind.REPOST) in done,
                bookmarked=pk in bookmarked,
                is_author=post.author_id == viewer_id,
            ),
            media=media[pk],
            tags=tags[pk],
            mentions=mentions[pk],
        )
        for pk, post in posts.items()
    }


def _media(posts: dict[int, Post]) -> dict[int, list[Media]]:
    found: dict[int, list[Media]] = defaultdict(list)
    for media in Media.objects.filter(post__in=[pk for pk, post in posts.items() if post.has_media]):
        found[media.post_id].append(media)
    return found


def _tags(posts: dict[int, Post]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for post_id, name in PostTag.objects.filter(post__in=posts).order_by("pk").values_list("post_id", "tag__name"):
        found[post_id].append(name)
    return found


def _mentions(posts: dict[int, Post]) -> dict[int, list[User]]:
    found: dict[int, list[User]] = defaultdict(list)
    for mention in Mention.objects.filter(post__in=posts).select_related("user").order_by("pk"):
        found[mention.post_id].append(mention.user)
    return found


def _actions(posts: dict[int, Post], viewer: User | None) -> set[tuple[int, int]]:
    if viewer is None:
        return set()
    kinds = (EngagementKind.FAVORITE, EngagementKind.REPOST)
    rows = Engagement.objects.filter(user=viewer, post__in=posts, kind__in=kinds)
    return set(rows.values_list("post_id", "kind"))


def _bookmarked(posts: dict[int, Post], viewer: User | None) -> set[int]:
    if viewer is None:
        return set()
    return set(Bookmark.objects.filter(user=viewer, post__in=posts).values_list("post_id", flat=True))
