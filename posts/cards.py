"""Post cards for the pages: detailed posts flattened to what a template shows.

Templates get plain values only, so that rendering never asks the database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.safestring import SafeString

from accounts.cards import PersonCard, person_card
from accounts.models import FeedPreferences, User
from posts import selectors
from posts.models import Media, Post, PostCounts
from posts.selectors.visible import Viewer, viewer_id
from posts.types import MediaKind, ViewerMarks, Visibility
from xsocial.kernel import richtext

CoverSource = Callable[[Sequence[Post], Viewer], Mapping[int, str]]


def _no_covers(posts: Sequence[Post], viewer: Viewer) -> Mapping[int, str]:
    return {}


_cover_source: CoverSource = _no_covers


def use_cover_source(source: CoverSource) -> None:
    """Ask `source` from now on why posts wait behind a click: layers above know, this one does not."""
    global _cover_source
    _cover_source = source


@dataclass(frozen=True, slots=True)
class MediaCard:
    """One attachment. Width and height (pixels) reserve its room before it loads."""

    id: int
    kind: str
    url: str
    preview_url: str
    alt: str
    width: int
    height: int
    blurhash: str = ""
    duration_ms: int | None = None

    @property
    def is_video(self) -> bool:
        return self.kind != MediaKind.IMAGE


@dataclass(frozen=True, slots=True)
class QuoteCard:
    """The post inside a post; `author` is empty when the viewer may not see it."""

    id: int
    author: PersonCard | None = None
    created_at: datetime | None = None
    text: str = ""
    cover: str = ""
    media: tuple[MediaCard, ...] = ()

    @property
    def url(self) -> str:
        return f"{self.author.url}/{self.id}" if self.author else ""


@dataclass(frozen=True, slots=True)
class CountsCard:
    """Counters of a card; quotes count as reposts beside the button."""

    replies: int = 0
    reposts: int = 0
    favorites: int = 0
    quotes: int = 0
    views: int = 0

    @property
    def reposts_and_quotes(self) -> int:
        return self.reposts + self.quotes


@dataclass(frozen=True, slots=True)
class PostCard:
    """A post as one viewer sees it.

    `entry_id` is the row of the timeline: the repost's id for a repost, else the post's own.
    `cover` is why the content waits behind a click; empty when it does not.
    """

    id: int
    entry_id: int
    author: PersonCard
    created_at: datetime
    text: str
    html: SafeString
    counts: CountsCard = field(default_factory=CountsCard)
    edited_at: datetime | None = None
    cover: str = ""
    media: tuple[MediaCard, ...] = ()
    quote: QuoteCard | None = None
    conversation_id: int = 0
    in_reply_to_id: int | None = None
    replies_to: str = ""
    reposted_by: PersonCard | None = None
    visibility: str = Visibility.PUBLIC
    subscribers_only: bool = False
    application: str = ""
    is_mine: bool = False
    liked: bool = False
    reposted: bool = False
    bookmarked: bool = False

    @property
    def url(self) -> str:
        return f"{self.author.url}/{self.id}"

    @property
    def can_repost(self) -> bool:
        return _can_repost(self.visibility, self.subscribers_only)


@dataclass(frozen=True, slots=True)
class ButtonsCard:
    """As much of a card as its buttons show."""

    id: int
    counts: CountsCard
    can_repost: bool
    liked: bool
    reposted: bool
    bookmarked: bool


def buttons_card(post: Post, viewer: Viewer) -> ButtonsCard:
    """The buttons of one post as they are now, counters read afresh. Two queries."""
    counts = PostCounts.objects.get(pk=post.pk)
    marks = selectors.viewer_marks(viewer, [post.pk])[post.pk]
    return ButtonsCard(
        id=post.pk,
        counts=_counts(counts),
        can_repost=_can_repost(post.visibility, post.subscribers_only),
        liked=marks.is_favorited,
        reposted=marks.is_reposted,
        bookmarked=marks.is_bookmarked,
    )


def _can_repost(visibility: str, subscribers_only: bool) -> bool:
    return visibility in (Visibility.PUBLIC, Visibility.UNLISTED) and not subscribers_only


def media_card(media: Media) -> MediaCard:
    """An attachment in plain values."""
    return MediaCard(
        id=media.id,
        kind=media.kind,
        url=media.file.url,
        preview_url=media.preview.url if media.preview else "",
        alt=media.alt_text,
        width=media.width,
        height=media.height,
        blurhash=media.blurhash,
        duration_ms=media.duration_ms,
    )


def cards_by_id(post_ids: Iterable[int], viewer: Viewer, *, covers: Mapping[int, str] | None = None) -> list[PostCard]:
    """Cards of these ids, in this order; ids the viewer may not open yield none."""
    return post_cards(selectors.posts_by_id(viewer, post_ids), viewer, covers=covers)


def post_cards(posts: Iterable[Post], viewer: Viewer, *, covers: Mapping[int, str] | None = None) -> list[PostCard]:
    """Cards of posts that a selector loaded with `detailed` for this viewer.

    `covers` gives, by post id, why a post waits behind a click; without it the cover source is asked.
    Three queries and those of the source.
    """
    rows = list(posts)
    originals = [row.repost_of or row for row in rows]
    if covers is None:
        covers = _cover_source(_shown(originals), viewer)
    who = viewer_id(viewer)
    page = _Page(
        viewer_id=who,
        marks=selectors.viewer_marks(viewer, [post.pk for post in originals]),
        handles=_handles({post.in_reply_to_user_id for post in originals} - {None}),
        shows_sensitive=_shows_sensitive(who),
        covers=covers,
    )
    return [page.card(row, original) for row, original in zip(rows, originals, strict=True)]


def _shown(originals: list[Post]) -> list[Post]:
    """The posts of a page with those they quote, as far as the viewer may see them."""
    return [*originals, *(post.quote_of for post in originals if post.quote_of_id and post.quote_of)]


def _handles(user_ids: set[int]) -> dict[int, str]:
    if not user_ids:
        return {}
    return dict(User.objects.filter(pk__in=user_ids).values_list("pk", "username"))


def _shows_sensitive(who: int | None) -> bool:
    return who is not None and FeedPreferences.objects.filter(user_id=who, shows_sensitive=True).exists()


@dataclass(frozen=True)
class _Page:
    """What the cards of one page share."""

    viewer_id: int | None
    marks: Mapping[int, ViewerMarks]
    handles: Mapping[int, str]
    shows_sensitive: bool
    covers: Mapping[int, str]

    def card(self, row: Post, post: Post) -> PostCard:
        """The card of a timeline row that shows `post`, which is the row itself unless a repost."""
        marks = self.marks[post.pk]
        return PostCard(
            id=post.pk,
            entry_id=row.pk,
            author=person_card(post.author),
            created_at=post.created_at,
            edited_at=post.edited_at,
            text=post.text,
            html=richtext.to_html(post.text),
            cover=self._cover(post),
            media=_media(post),
            quote=self._quote(post),
            conversation_id=post.conversation_id,
            in_reply_to_id=post.in_reply_to_id,
            replies_to=self.handles.get(post.in_reply_to_user_id, ""),
            reposted_by=person_card(row.author) if row.is_repost else None,
            counts=_counts(post.counts),
            visibility=post.visibility,
            subscribers_only=post.subscribers_only,
            application=post.application,
            is_mine=post.author_id == self.viewer_id,
            liked=marks.is_favorited,
            reposted=marks.is_reposted,
            bookmarked=marks.is_bookmarked,
        )

    def _cover(self, post: Post) -> str:
        """The author's own words first, then the sensitive flag, then what moderation says."""
        if post.spoiler_text:
            return post.spoiler_text
        if post.author_id == self.viewer_id:
            return ""
        if post.sensitive and not self.shows_sensitive:
            return "Marked as sensitive by its author"
        return self.covers.get(post.pk, "")

    def _quote(self, post: Post) -> QuoteCard | None:
        if post.quote_of_id is None:
            return None
        quoted = post.quote_of
        if quoted is None:
            return QuoteCard(post.quote_of_id)
        return QuoteCard(
            id=quoted.pk,
            author=person_card(quoted.author),
            created_at=quoted.created_at,
            text=quoted.text,
            cover=self._cover(quoted),
            media=_media(quoted),
        )


def _counts(counts: PostCounts) -> CountsCard:
    return CountsCard(counts.replies, counts.reposts, counts.favorites, counts.quotes, counts.views)


def _media(post: Post) -> tuple[MediaCard, ...]:
    return tuple(media_card(media) for media in post.media.all()) if post.has_media else ()
