"""Post cards for the pages: posts flattened to what a template shows.

Templates get plain values only, so that rendering never asks the database.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.cards import PersonCard
from accounts.models import FeedPreferences
from posts import selectors
from posts.models import Post, PostCounts
from posts.selectors import ShownPoll
from posts.selectors.shown import ShownMedia, ShownPost, shown_media, shown_posts
from posts.selectors.visible import Viewer, viewer_id
from posts.types import MediaKind, ViewerMarks, Visibility
from xsocial.kernel import richtext, sql, words

CoverSource = Callable[[Collection[ShownPost], Viewer], Mapping[int, str]]


def _no_covers(posts: Collection[ShownPost], viewer: Viewer) -> Mapping[int, str]:
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
class PollOption:
    """One option; `place` is what a ballot names it by."""

    place: int
    words: str
    votes: int
    percent: int
    is_own: bool
    is_leading: bool


@dataclass(frozen=True, slots=True)
class PollCard:
    """A poll as one viewer sees it: to vote in, or with numbers once they voted or it ended."""

    options: tuple[PollOption, ...]
    multiple: bool
    can_vote: bool
    shows_results: bool
    facts: str


@dataclass(frozen=True, slots=True)
class PolledCard:
    """As much of a card as its poll shows."""

    id: int
    poll: PollCard


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a post as it now stands.

    `url` is what pressing it does next, `count` how many did it (in short), `label` what one hears.
    """

    url: str
    label: str
    count: str = ""
    is_on: bool = False

    @property
    def pressed(self) -> str:
        return "true" if self.is_on else "false"


@dataclass(frozen=True, slots=True)
class ButtonsCard:
    """As much of a card as its buttons show; `repost` is None on what is not for everybody."""

    id: int
    reply: Button
    repost: Button | None
    like: Button
    bookmark: Button


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCard(ButtonsCard):
    """A post as one viewer sees it.

    `entry_id` is the row of the timeline: the repost's id for a repost, else the post's own.
    `cover` is why the content waits behind a click; empty when it does not.
    """

    entry_id: int
    url: str
    author: PersonCard
    created_at: datetime
    text: str
    html: SafeString
    edited_at: datetime | None = None
    cover: str = ""
    media: tuple[MediaCard, ...] = ()
    quote: QuoteCard | None = None
    poll: PollCard | None = None
    replies_to: str = ""
    reposted_by: PersonCard | None = None
    visibility: str = Visibility.PUBLIC
    subscribers_only: bool = False
    application: str = ""
    views: int = 0
    is_mine: bool = False
    is_pinned: bool = False


def polled_card(post: Post, viewer: Viewer) -> PolledCard | None:
    """The poll of one post as it is now; None for a post without. One query."""
    poll = selectors.polls_of(viewer, [post.pk]).get(post.pk)
    return PolledCard(post.pk, _poll_card(poll, post.author_id, viewer_id(viewer))) if poll else None


def _poll_card(poll: ShownPoll, author_id: int, who: int | None) -> PollCard:
    """The author sees the numbers and has no vote; a visitor reads the options."""
    is_open = not poll.is_over
    shows_results = poll.is_over or bool(poll.own) or author_id == who
    most = max(poll.votes)
    return PollCard(
        options=tuple(
            PollOption(
                place=place,
                words=words,
                votes=votes,
                percent=round(100 * votes / poll.voters) if poll.voters else 0,
                is_own=place in poll.own,
                is_leading=0 < votes == most,
            )
            for place, (words, votes) in enumerate(zip(poll.options, poll.votes, strict=True))
        ),
        multiple=poll.multiple,
        can_vote=is_open and who is not None and not shows_results,
        shows_results=shows_results,
        facts=_poll_facts(poll, who),
    )


def _poll_facts(poll: ShownPoll, who: int | None) -> str:
    people = f"{poll.voters} {'person' if poll.voters == 1 else 'people'} voted"
    if poll.is_over:
        return f"{people} · ended"
    until = f"ends {date_format(localtime(poll.ends_at), 'j F, H:i')}"
    return f"{people} · {until}" + ("" if who else " · sign in to vote")


_COUNTS = f"SELECT {sql.columns(PostCounts, 'c')} FROM posts_postcounts c WHERE c.post_id = %(post)s"


def buttons_card(post: Post, viewer: Viewer) -> ButtonsCard:
    """The buttons of one post as they are now, counters read afresh. Two queries."""
    (found,) = sql.rows(_COUNTS, {"post": post.pk})
    counts = sql.made(PostCounts, found)
    marks = selectors.viewer_marks(viewer, [post.pk])[post.pk]
    return ButtonsCard(post.pk, **_buttons(post, counts, marks))


def _buttons(post: Post | ShownPost, counts: PostCounts | ShownPost, marks: ViewerMarks) -> dict[str, Any]:
    """Quotes count as reposts beside the button."""
    passed_on = counts.reposts + counts.quotes
    can_repost = post.visibility in (Visibility.PUBLIC, Visibility.UNLISTED) and not post.subscribers_only
    by_viewer = "Reposted by you. " if marks.is_reposted else ""
    return {
        "reply": Button(f"/compose?reply_to={post.id}", _label("Reply", counts.replies), words.compact(counts.replies)),
        "repost": _toggle(post.id, "repost", marks.is_reposted, passed_on, before=by_viewer) if can_repost else None,
        "like": _toggle(post.id, "like", marks.is_favorited, counts.favorites),
        "bookmark": _toggle(post.id, "bookmark", marks.is_bookmarked),
    }


def _toggle(post_id: int, act: str, is_on: bool, count: int = 0, *, before: str = "") -> Button:
    url = f"/posts/{post_id}/{'un' if is_on else ''}{act}"
    return Button(url, before + _label(act.capitalize(), count), words.compact(count), is_on)


def _label(act: str, count: int) -> str:
    return f"{act}, {count} so far" if count else act


def cards_by_id(post_ids: Iterable[int], viewer: Viewer, *, covers: Mapping[int, str] | None = None) -> list[PostCard]:
    """Cards of these ids, in this order; ids the viewer may not open yield none.

    `covers` gives, by post id, why a post waits behind a click; without it the cover source is asked.
    Three queries, one more if a post is marked as sensitive or has a poll, and those of the source.
    """
    wanted = list(dict.fromkeys(post_ids))
    posts = shown_posts(viewer, wanted)
    rows = [posts[post_id] for post_id in wanted if post_id in posts]
    pairs = [(row, posts[row.repost_of_id or row.id]) for row in rows if (row.repost_of_id or row.id) in posts]
    originals = [post for _, post in pairs]
    page = _Page(
        viewer_id=viewer_id(viewer),
        posts=posts,
        media=shown_media([post.id for post in posts.values() if post.has_media]),
        marks=selectors.viewer_marks(viewer, [post.id for post in originals]),
        polls=selectors.polls_of(viewer, [post.id for post in originals if post.has_poll]),
        shows_sensitive=any(post.sensitive for post in posts.values()) and _shows_sensitive(viewer_id(viewer)),
        covers=_cover_source(_with_quoted(originals, posts), viewer) if covers is None else covers,
    )
    return [page.card(row, original) for row, original in pairs]


def _with_quoted(originals: list[ShownPost], posts: Mapping[int, ShownPost]) -> list[ShownPost]:
    """The posts of a page with those they quote, as far as the viewer may see them."""
    return [*originals, *(posts[post.quote_of_id] for post in originals if post.quote_of_id in posts)]


def _shows_sensitive(who: int | None) -> bool:
    return who is not None and FeedPreferences.objects.filter(user_id=who, shows_sensitive=True).exists()


@dataclass(frozen=True)
class _Page:
    """What the cards of one page share."""

    viewer_id: int | None
    posts: Mapping[int, ShownPost]
    media: Mapping[int, list[ShownMedia]]
    marks: Mapping[int, ViewerMarks]
    polls: Mapping[int, ShownPoll]
    shows_sensitive: bool
    covers: Mapping[int, str]

    def card(self, row: ShownPost, post: ShownPost) -> PostCard:
        """The card of a timeline row that shows `post`, which is the row itself unless a repost."""
        author = _author(post)
        return PostCard(
            id=post.id,
            entry_id=row.id,
            url=f"{author.url}/{post.id}",
            author=author,
            created_at=post.created_at,
            edited_at=post.edited_at,
            text=post.text,
            html=richtext.to_html(post.text),
            cover=self._cover(post),
            media=self._media(post),
            quote=self._quote(post),
            poll=self._poll(post),
            replies_to=post.answered,
            reposted_by=_author(row) if row is not post else None,
            visibility=post.visibility,
            subscribers_only=post.subscribers_only,
            application=post.application,
            views=post.views,
            is_mine=post.author_id == self.viewer_id,
            is_pinned=self.marks[post.id].is_pinned,
            **_buttons(post, post, self.marks[post.id]),
        )

    def _cover(self, post: ShownPost) -> str:
        """The author's own words first, then the sensitive flag, then what moderation says."""
        if post.spoiler_text:
            return post.spoiler_text
        if post.author_id == self.viewer_id:
            return ""
        if post.sensitive and not self.shows_sensitive:
            return "Marked as sensitive by its author"
        return self.covers.get(post.id, "")

    def _poll(self, post: ShownPost) -> PollCard | None:
        poll = self.polls.get(post.id)
        return _poll_card(poll, post.author_id, self.viewer_id) if poll else None

    def _quote(self, post: ShownPost) -> QuoteCard | None:
        if post.quote_of_id is None:
            return None
        quoted = self.posts.get(post.quote_of_id)
        if quoted is None:
            return QuoteCard(post.quote_of_id)
        return QuoteCard(
            id=quoted.id,
            author=_author(quoted),
            created_at=quoted.created_at,
            text=quoted.text,
            cover=self._cover(quoted),
            media=self._media(quoted),
        )

    def _media(self, post: ShownPost) -> tuple[MediaCard, ...]:
        return tuple(map(_media_card, self.media.get(post.id, ())))


def _author(post: ShownPost) -> PersonCard:
    return PersonCard(
        id=post.author_id,
        username=post.username,
        name=post.display_name or post.username,
        avatar_url=_address(post.avatar),
        is_locked=post.is_locked,
        is_bot=post.is_bot,
    )


def _media_card(media: ShownMedia) -> MediaCard:
    return MediaCard(
        id=media.id,
        kind=media.kind,
        url=_address(media.file),
        preview_url=_address(media.preview),
        alt=media.alt_text,
        width=media.width,
        height=media.height,
        blurhash=media.blurhash,
        duration_ms=media.duration_ms,
    )


def _address(file: str) -> str:
    """Where browsers find a stored file; empty without one."""
    return default_storage.url(file) if file else ""
