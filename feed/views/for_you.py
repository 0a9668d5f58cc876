"""For You and the topic tabs: a ranked page, said plainly when ranking did not work."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse

from accounts.cards import PersonCard, person_card
from accounts.models import User
from accounts.selectors import interests, people
from feed import services
from feed.covers import in_words
from feed.types import FeedItem, FeedRequest, ForYouPage
from feed.views.following import explore, is_more, show
from feed.views.items import AdCard, PageItem, SuggestionCard, tabs
from posts.cards import PostCard, cards_by_id
from posts.types import Surface
from xsocial.kernel.pages import PageRequest, parse_id, signed_in

# What is missing from a page, where a reader would notice it.
MISSING = {
    "posts": "For You could not be put together just now. These are the newest posts of people you follow.",
    "ranker": "Newest first, because ranking is not available right now.",
    "network": "Some posts of people you follow are missing at the moment.",
    "retrieval": "Only people you follow: recommendations are not available right now.",
}

NAMED = 3  # of those who answered a post


def home(request: PageRequest) -> HttpResponse:
    """For You for people, the public front door for visitors."""
    if not request.user.is_authenticated:
        return explore(request)
    feed_request = FeedRequest(
        cursor=request.GET.get("cursor", ""),
        push_to_home_post_id=parse_id(request.GET.get("post")) or 0,
        ip_address=address_of(request),
    )
    return _respond(request, feed_request)


def address_of(request: PageRequest) -> str:
    """Whence the request came; behind a proxy its address, which is nowhere in particular."""
    return request.META.get("REMOTE_ADDR", "")


@signed_in
def topic(request: PageRequest, slug: str) -> HttpResponse:
    """For You within one topic."""
    wanted = interests.get_topic(slug)
    feed_request = FeedRequest(
        cursor=request.GET.get("cursor", ""), topic_ids=(wanted.pk,), ip_address=address_of(request)
    )
    return _respond(request, feed_request, page_title=wanted.name, topic_slug=slug)


def _respond(request: PageRequest, feed_request: FeedRequest, **context: Any) -> HttpResponse:
    return draw(request, services.for_you(request.user, request=feed_request), **context)


def draw(request: PageRequest, page: ForYouPage, *, page_title: str = "For You", **context: Any) -> HttpResponse:
    """The response that shows this page."""
    context |= {"page_title": page_title}
    context |= {"page": page_context(request, page), "surface": Surface.HOME_FOR_YOU.value, "is_more": is_more(request)}
    context["empty"] = {
        "title": "Nothing to show yet",
        "text": "Follow a few people or topics, and your feed fills by itself.",
        "url": "/welcome",
        "action": "Pick topics",
    }
    return show(request, context | tabs(request.user))


def page_context(request: PageRequest, page: ForYouPage) -> dict[str, Any]:
    """The page's items as the template shows them, and what made them."""
    following_url = f"{request.path}?{urlencode({'cursor': page.cursor})}" if page.cursor else ""
    return {
        "items": _items(request.user, page),
        "next_url": following_url,
        "notice": next((MISSING[part] for part in MISSING if part in page.degraded), ""),
        "request_id": page.request_id,
        "model": page.model,
        "weight_set": page.weight_set,
        "is_tuned": page.is_tuned,
        "build": page.build,
        "num_dropped": page.num_dropped,
    }


def _items(viewer: User, page: ForYouPage) -> list[PageItem]:
    covers = {item.post_id: in_words(item.notice) for item in page.items if item.notice}
    rows = [item.wrapper_id or item.post_id for item in page.items if item.post_id]
    cards = {card.entry_id: card for card in cards_by_id(rows, viewer, covers=covers)}
    persons = _persons(page)
    shown = [_item(item, page.request_id, cards, persons) for item in page.items]
    return [item for item in shown if item is not None]


def _persons(page: ForYouPage) -> dict[int, User]:
    """Everybody whom a module or an ad names, in one query."""
    wanted = {user_id for item in page.items for user_id in item.people}
    wanted |= {item.ad.author_id for item in page.items if item.ad}
    return {user.pk: user for user in people.reachable().filter(pk__in=wanted)} if wanted else {}


def _item(item: FeedItem, request_id: int, cards: dict[int, PostCard], persons: dict[int, User]) -> PageItem | None:
    """None for what vanished between ranking and showing."""
    where: dict[str, Any] = {"position": item.position, "request_id": str(request_id)}
    if item.kind in ("post", "push_to_home"):
        card = cards.get(item.wrapper_id or item.post_id)
        return PageItem(kind="post", post=card, context=_context(item, persons), **where) if card else None
    if item.kind == "ad":
        return PageItem(kind="ad", ad=_ad(item.ad, cards, persons), **where)
    if item.kind == "who_to_follow":
        known = [persons[user_id] for user_id in item.user_ids if user_id in persons]
        return PageItem(kind="who_to_follow", people=tuple(map(suggestion, known)), **where) if known else None
    return PageItem(kind="prompt", prompt=item.prompt, **where)


def _context(item: FeedItem, persons: dict[int, User]) -> str:
    names = [persons[user_id].name for user_id in item.facepile[:NAMED] if user_id in persons]
    answered = f"Answered by {', '.join(names)}" if names else ""
    if item.kind == "push_to_home":
        return " · ".join(filter(None, ["From your notifications", answered]))
    return answered if item.in_network else "Suggested for you"


def suggestion(user: User) -> SuggestionCard:
    """A person worth following."""
    avatar = user.avatar.url if user.avatar else ""
    return SuggestionCard(user.pk, user.username, user.name, avatar, user.bio.partition("\n")[0][:80])


def _ad(ad: Any, cards: dict[int, PostCard], persons: dict[int, User]) -> AdCard:
    owner = persons.get(ad.author_id)
    face = person_card(owner) if owner else PersonCard(ad.advertiser_id, "", ad.advertiser_name, "")
    return AdCard(
        impression_id=str(ad.impression_id),
        advertiser=ad.advertiser_name,
        face=face,
        handle=face.username,
        title=ad.headline,
        text=ad.text,
        image_url=ad.image_url,
        token=ad.token,
        why=tuple(ad.why),
        post=cards.get(ad.post_id) if ad.post_id else None,
    )
