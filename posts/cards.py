"""Post cards for the pages: what `presentation` hydrated, flattened to what a template shows.

Templates get plain values only, so that rendering never asks the database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.safestring import SafeString

from accounts.models import FeedPreferences, User
from posts.models import Media, PostCounts
from posts.presentation import PostView, present
from posts.types import MediaKind, Visibility
from xsocial.kernel import richtext


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person as cards show them."""

    id: int
    username: str
    name: str
    avatar_url: str
    is_locked: bool = False
    is_bot: bool = False

    @property
    def url(self) -> str:
        return f"/@{self.username}"


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
        is_open = self.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
        return is_open and not self.subscribers_only


def person_card(user: User) -> PersonCard:
    """A person in plain values."""
    avatar = user.avatar.url if user.avatar else ""
    return PersonCard(user.id, user.username, user.name, avatar, user.is_locked, user.is_bot)


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


def post_cards(
    post_ids: Iterable[int], viewer: User | None, *, covers: Mapping[int, str] | None = None
) -> list[PostCard]:
    """Cards for these posts, in this order, for this viewer (None: nobody signed in).

    `covers` gives, by post id, why moderation wants a post behind a click. Ids the viewer may
    not open yield no card. The number of queries does not depend on the number of posts.
    """
    views = present(list(dict.fromkeys(int(post_id) for post_id in post_ids)), viewer)
    if not views:
        return []
    shows_sensitive = _shows_sensitive(viewer)
    return [_card(view, shows_sensitive=shows_sensitive, covers=covers or {}) for view in views]


def _shows_sensitive(viewer: User | None) -> bool:
    if viewer is None:
        return False
    return FeedPreferences.objects.filter(user=viewer, shows_sensitive=True).exists()


def _card(view: PostView, *, shows_sensitive: bool, covers: Mapping[int, str]) -> PostCard:
    shown = view.shown
    post = shown.post
    return PostCard(
        id=post.id,
        entry_id=view.post.id,
        author=person_card(shown.author),
        created_at=post.created_at,
        edited_at=post.edited_at,
        text=post.text,
        html=richtext.to_html(post.text),
        cover=_cover(shown, shows_sensitive, covers),
        media=tuple(media_card(media) for media in shown.media),
        quote=_quote(shown, shows_sensitive, covers),
        conversation_id=post.conversation_id,
        in_reply_to_id=post.in_reply_to_id,
        replies_to=post.in_reply_to_user.username if post.in_reply_to_user else "",
        reposted_by=person_card(view.author) if view.post.is_repost else None,
        counts=_counts(shown.counts),
        visibility=post.visibility,
        subscribers_only=post.subscribers_only,
        application=post.application,
        is_mine=shown.viewer.is_author,
        liked=shown.viewer.favorited,
        reposted=shown.viewer.reposted,
        bookmarked=shown.viewer.bookmarked,
    )


def _cover(view: PostView, shows_sensitive: bool, covers: Mapping[int, str]) -> str:
    """Author's own words first, then the sensitive flag, then what moderation says."""
    if view.post.spoiler_text:
        return view.post.spoiler_text
    if view.viewer.is_author:
        return ""
    if view.post.sensitive and not shows_sensitive:
        return "Marked as sensitive by its author"
    return covers.get(view.post.id, "")


def _counts(counts: PostCounts) -> CountsCard:
    return CountsCard(counts.replies, counts.reposts, counts.favorites, counts.quotes)


def _quote(view: PostView, shows_sensitive: bool, covers: Mapping[int, str]) -> QuoteCard | None:
    if view.post.quote_of_id is None:
        return None
    quoted = view.quote_of
    if quoted is None:
        return QuoteCard(view.post.quote_of_id)
    return QuoteCard(
        id=quoted.post.id,
        author=person_card(quoted.author),
        created_at=quoted.post.created_at,
        text=quoted.post.text,
        cover=_cover(quoted, shows_sensitive, covers),
        media=tuple(media_card(media) for media in quoted.media),
    )
