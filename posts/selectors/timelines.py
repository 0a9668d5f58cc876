"""Lists of posts by time: which posts belong to one, and a page of it, newest first, in constant queries.

The pages of the site show ids of a list (`page_ids`) as cards; other callers get detailed posts.
"""

from django.db.models import F, Q, QuerySet

from accounts.models import Follow, PeopleList, User
from accounts.types import RepliesPolicy
from posts.models import Bookmark, Engagement, Pin, Post, PostEdit
from posts.selectors.details import detailed, posts_by_id
from posts.selectors.muting import without_muted
from posts.selectors.visible import Viewer, viewer_id, visible_to
from posts.types import EngagementKind, Visibility
from xsocial.kernel.paging import Cursor, paged

FIRST_PAGE = Cursor()


def page_ids(posts: QuerySet[Post], cursor: Cursor = FIRST_PAGE) -> list[int]:
    """Ids of one page of a list, newest first. One query."""
    return paged(posts.values_list("pk", flat=True), cursor)


def home_posts(viewer: User) -> QuerySet[Post]:
    """Following: what the followed and oneself wrote and passed on.

    Replies only to people one follows or to oneself, nothing injected, muted things left out, and
    people on lists of one's own that keep them to themselves.
    """
    followed = Follow.objects.filter(follower=viewer).values("followee_id")
    passing_on = Follow.objects.filter(follower=viewer, shows_reposts=True).values("followee_id")
    kept_apart = Follow.objects.filter(follower=viewer, list_memberships__people_list__is_exclusive=True)
    is_own = Q(author=viewer)
    to_known = Q(in_reply_to__isnull=True) | Q(in_reply_to_user=viewer) | Q(in_reply_to_user__in=followed)
    wanted_repost = Q(repost_of__isnull=True) | Q(author_id__in=passing_on)
    is_here = Q(author_id__in=followed) & ~Q(author_id__in=kept_apart.values("followee_id"))
    mine = visible_to(viewer).filter(is_own | (is_here & to_known & wanted_repost))
    posts = mine.exclude(visibility=Visibility.DIRECT)
    return without_muted(viewer.pk, posts, in_context=True)


def home(viewer: User, cursor: Cursor = FIRST_PAGE) -> list[Post]:
    """A page of Following, strictly by time."""
    return paged(detailed(viewer, home_posts(viewer)), cursor)


def list_posts(viewer: User, people_list: PeopleList) -> QuerySet[Post]:
    """What the people on a list of the viewer's wrote and passed on, muted things left out.

    Replies as the list wants them; those to the viewer, or to oneself, always.
    """
    on_it = Follow.objects.filter(list_memberships__people_list=people_list)
    members = on_it.values("followee_id")
    wanted_repost = Q(repost_of__isnull=True) | Q(author_id__in=on_it.filter(shows_reposts=True).values("followee_id"))
    wanted_reply = Q(in_reply_to__isnull=True) | Q(in_reply_to_user=F("author")) | Q(in_reply_to_user=viewer)
    if people_list.replies_policy == RepliesPolicy.LIST:
        wanted_reply |= Q(in_reply_to_user__in=members)
    elif people_list.replies_policy == RepliesPolicy.FOLLOWED:
        wanted_reply |= Q(in_reply_to_user__in=Follow.objects.filter(follower=viewer).values("followee_id"))
    posts = visible_to(viewer).filter(Q(author_id__in=members) & wanted_repost & wanted_reply)
    return without_muted(viewer.pk, posts.exclude(visibility=Visibility.DIRECT), in_context=True)


def list_timeline(viewer: User, people_list: PeopleList, cursor: Cursor = FIRST_PAGE) -> list[Post]:
    """A page of a list, strictly by time."""
    return paged(detailed(viewer, list_posts(viewer, people_list)), cursor)


def public_posts(viewer: Viewer) -> QuerySet[Post]:
    """Everybody's public posts, without replies and reposts."""
    return _public(viewer).filter(in_reply_to__isnull=True)


def public_timeline(viewer: Viewer, cursor: Cursor = FIRST_PAGE, *, only_media: bool = False) -> list[Post]:
    """A page of everybody's public posts."""
    posts = public_posts(viewer)
    return paged(detailed(viewer, posts.filter(has_media=True) if only_media else posts), cursor)


def tagged_posts(viewer: Viewer, tag: str) -> QuerySet[Post]:
    """Public posts with a hashtag, given with or without its sign. An unknown tag has none."""
    return _public(viewer).filter(tag_links__tag__name=tag.removeprefix("#").casefold())


def tag_timeline(viewer: Viewer, tag: str, cursor: Cursor = FIRST_PAGE, *, only_media: bool = False) -> list[Post]:
    """A page of public posts with a hashtag."""
    posts = tagged_posts(viewer, tag)
    return paged(detailed(viewer, posts.filter(has_media=True) if only_media else posts), cursor)


def profile_posts(
    viewer: Viewer,
    user: User,
    *,
    with_replies: bool = False,
    with_reposts: bool = True,
    only_media: bool = False,
) -> QuerySet[Post]:
    """One person's posts; replies to oneself are a thread, not replies. Direct posts never."""
    posts = visible_to(viewer).filter(author=user).exclude(visibility=Visibility.DIRECT)
    if not with_replies:
        posts = posts.filter(Q(in_reply_to__isnull=True) | Q(in_reply_to_user=F("author")))
    if not with_reposts:
        posts = posts.filter(repost_of__isnull=True)
    return posts.filter(has_media=True) if only_media else posts


def pinned_ids(viewer: Viewer, user: User) -> list[int]:
    """Posts at the top of a profile that the viewer may open, last pinned first."""
    pins = Pin.objects.filter(author=user, post__in=visible_to(viewer)).order_by("-created_at", "-post_id")
    return list(pins.values_list("post_id", flat=True))


def kept(viewer: User, cursor: Cursor = FIRST_PAGE) -> list[Bookmark]:
    """One page of bookmarks of posts that may still be opened, last kept first. One query."""
    return paged(Bookmark.objects.filter(user=viewer, post__in=visible_to(viewer)), cursor)


def bookmarks(viewer: User, cursor: Cursor = FIRST_PAGE) -> list[tuple[Bookmark, Post]]:
    """Bookmarked posts, last kept first; the cursor runs over ids of bookmarks."""
    return _with_posts(viewer, kept(viewer, cursor))


def favorites(viewer: User, cursor: Cursor = FIRST_PAGE) -> list[tuple[Engagement, Post]]:
    """Liked posts, last liked first; the cursor runs over ids of engagements."""
    rows = Engagement.objects.filter(user=viewer, kind=EngagementKind.FAVORITE, post__in=visible_to(viewer))
    return _with_posts(viewer, paged(rows, cursor))


def reposts_of(viewer: Viewer, post: Post, cursor: Cursor = FIRST_PAGE) -> list[Post]:
    """Who passed a post on: the reposts, with their authors."""
    return paged(visible_to(viewer).filter(repost_of=post).select_related("author"), cursor)


def favorites_of(post: Post, cursor: Cursor = FIRST_PAGE) -> list[Engagement]:
    """Who liked a post: the likes of reachable people, with them."""
    likes = Engagement.objects.filter(
        post=post,
        kind=EngagementKind.FAVORITE,
        user__is_active=True,
        user__suspended_at=None,
        user__deactivated_at=None,
    )
    return paged(likes.select_related("user"), cursor)


def edit_history(post: Post) -> list[PostEdit]:
    """Earlier wordings, oldest first; the current one is the post itself."""
    return list(PostEdit.objects.filter(post=post).order_by("pk"))


def _public(viewer: Viewer) -> QuerySet[Post]:
    posts = visible_to(viewer).filter(visibility=Visibility.PUBLIC, repost_of__isnull=True)
    who = viewer_id(viewer)
    return posts if who is None else without_muted(who, posts)


def _with_posts(viewer: User, rows: list) -> list[tuple]:
    posts = {post.pk: post for post in posts_by_id(viewer, [row.post_id for row in rows])}
    return [(row, posts[row.post_id]) for row in rows if row.post_id in posts]
