"""Public posts for feed readers: RSS of one person and of one hashtag, as somebody sees them who is not signed in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.text import Truncator

from accounts.selectors import people
from posts import selectors
from posts.cards import PostCard, cards_by_id
from posts.models import Post
from posts.selectors import Cursor
from xsocial.kernel import richtext

ITEMS = 20
TITLE_WORDS = 12
MAX_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Channel:
    """What one feed is about. `origin` prefixes local addresses in the items' text."""

    title: str
    link: str
    description: str
    posts: QuerySet[Post]
    origin: str


@dataclass(frozen=True, slots=True)
class Item:
    """One post; behind a cover on the site it has the cover's words, and neither text nor media."""

    card: PostCard
    html: str


class PostsFeed(Feed):
    """Newest posts first."""

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().__call__(request, *args, **kwargs)
        patch_cache_control(response, public=True, max_age=MAX_AGE_S)
        return response

    def title(self, channel: Channel) -> str:
        return channel.title

    def link(self, channel: Channel) -> str:
        return channel.link

    def description(self, channel: Channel) -> str:
        return channel.description

    def items(self, channel: Channel) -> list[Item]:
        cards = cards_by_id(selectors.page_ids(channel.posts, Cursor(limit=ITEMS)), None)
        return [Item(card, _html(card, channel.origin)) for card in cards]

    def item_title(self, item: Item) -> str:
        words = item.card.cover or item.card.text or "Media"
        return f"{item.card.author.name}: {Truncator(words).words(TITLE_WORDS)}"

    def item_description(self, item: Item) -> str:
        return item.html

    def item_link(self, item: Item) -> str:
        return item.card.url

    def item_pubdate(self, item: Item) -> datetime:
        return item.card.created_at


class ProfileFeed(PostsFeed):
    """What one person writes of their own, without replies to others."""

    def get_object(self, request: HttpRequest, username: str) -> Channel:  # type: ignore[override]
        person = people.get_user(username)
        return Channel(
            title=f"{person.name} (@{person.username})",
            link=f"/@{person.username}",
            description=person.bio or f"Public posts of @{person.username}",
            posts=selectors.profile_posts(None, person, with_reposts=False),
            origin=_origin(request),
        )


class TagFeed(PostsFeed):
    """What is written in public under one hashtag."""

    def get_object(self, request: HttpRequest, name: str) -> Channel:  # type: ignore[override]
        return Channel(
            title=f"#{name}",
            link=f"/tags/{name}",
            description=f"Public posts about #{name}",
            posts=selectors.tagged_posts(None, name),
            origin=_origin(request),
        )


def _origin(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _html(card: PostCard, origin: str) -> str:
    if card.cover:
        return format_html("<p>{}</p>", card.cover)
    pictures = (
        format_html('<p><img src="{}" alt="{}"></p>', f"{origin}{media.preview_url or media.url}", media.alt)
        for media in card.media
    )
    return "".join([richtext.to_html(card.text, origin=origin), *pictures])
