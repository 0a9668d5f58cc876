"""Following, strictly by time and with nothing injected; and what visitors see instead."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from feed import services
from feed.views.items import post_item, tabs
from posts import selectors
from posts.cards import cards_by_id
from posts.selectors import Cursor
from posts.types import Surface
from xsocial.kernel.pages import PageRequest, parse_id, signed_in

PAGE = 20


@signed_in
def following(request: PageRequest) -> HttpResponse:
    ids = services.following_ids(request.user, cursor=cursor_of(request))
    empty = {
        "title": "Quiet here",
        "text": "Posts of people you follow stand here, newest first and nothing else.",
        "url": "/search",
        "action": "Find people",
    }
    context = page_of(request, ids) | tabs(request.user)
    return show(request, context | {"page_title": "Following", "surface": Surface.HOME_FOLLOWING.value, "empty": empty})


def cursor_of(request: PageRequest) -> Cursor:
    """Where this page begins. Raises Invalid for anything but a number."""
    return Cursor(max_id=parse_id(request.GET.get("max_id")), limit=PAGE)


def page_of(request: PageRequest, ids: list[int]) -> dict[str, Any]:
    """A chronological page as the feed template wants it."""
    cards = cards_by_id(ids, request.user)
    next_url = f"{request.path}?max_id={ids[-1]}" if len(ids) == PAGE else ""
    return {"page": {"items": [post_item(card) for card in cards], "next_url": next_url}, "is_more": is_more(request)}


def is_more(request: PageRequest) -> bool:
    return "max_id" in request.GET or "cursor" in request.GET


def show(request: PageRequest, context: dict[str, Any]) -> HttpResponse:
    """The whole feed page, or its next rows for the page's own script."""
    template = "feed/_page.html" if request.htmx and is_more(request) else "feed/for_you.html"
    return render(request, template, context)


def explore(request: PageRequest) -> HttpResponse:
    """The front door for visitors: what this is, and what people post in public."""
    ids = selectors.page_ids(selectors.public_posts(request.user), cursor_of(request))
    context = page_of(request, ids)
    if request.htmx and is_more(request):
        return render(request, "feed/_page.html", context)
    return render(request, "feed/explore.html", context | {"surface": Surface.UNSPECIFIED.value})
