"""Lists of posts: bookmarks, tags, and those of the people on a list."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.selectors import get_list
from posts import selectors
from posts.cards import cards_by_id
from posts.selectors import Cursor
from posts.types import Surface
from xsocial.kernel.pages import PageRequest, parse_id, signed_in

PAGE = 20


def cursor_of(request: PageRequest) -> Cursor:
    """Where this page begins. Raises Invalid for anything but a number."""
    return Cursor(max_id=parse_id(request.GET.get("max_id")), limit=PAGE)


def next_page(request: PageRequest, ids: Sequence[int]) -> str:
    """The address of the rows after these; empty when these were the last."""
    if len(ids) < PAGE:
        return ""
    query = request.GET.copy()
    query["max_id"] = str(ids[-1])
    return f"{request.path}?{query.urlencode()}"


def page_context(request: PageRequest, ids: Sequence[int], next_url: str | None = None) -> dict[str, Any]:
    """Cards of a timeline's posts and the link to what follows."""
    return {
        "posts": cards_by_id(ids, request.user),
        "next_url": next_page(request, ids) if next_url is None else next_url,
        "is_more": "max_id" in request.GET,
    }


def is_continuation(request: PageRequest) -> bool:
    """Whether the page's own script asks for the rows after the ones it has."""
    return bool(request.htmx) and "max_id" in request.GET


def show(request: PageRequest, template: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or only its next rows."""
    return render(request, part if is_continuation(request) else template, context)


@signed_in
def bookmarks(request: PageRequest) -> HttpResponse:
    rows = selectors.kept(request.user, cursor_of(request))
    following = next_page(request, [bookmark.pk for bookmark in rows])
    context = page_context(request, [bookmark.post_id for bookmark in rows], following) | {
        "page_title": "Bookmarks",
        "surface": Surface.BOOKMARKS.value,
        "empty": {
            "picture": "bookmark",
            "title": "Nothing saved yet",
            "text": "Keep posts for later with the bookmark button. Nobody else sees them.",
        },
    }
    return show(request, "posts/list.html", "posts/_page.html", context)


def tag(request: PageRequest, name: str) -> HttpResponse:
    ids = selectors.page_ids(selectors.tagged_posts(request.user, name), cursor_of(request))
    context = page_context(request, ids) | {
        "page_title": f"#{name}",
        "rss": f"{request.path}.rss",
        "surface": Surface.TAG.value,
        "empty": {"picture": "hash", "title": "No posts yet", "text": f"Nobody has used #{name} in public so far."},
    }
    return show(request, "posts/list.html", "posts/_page.html", context)


@signed_in
def people_list(request: PageRequest, list_id: int) -> HttpResponse:
    """What the people on one's list wrote and passed on, newest first and nothing else."""
    found = get_list(request.user.pk, list_id)
    ids = selectors.page_ids(selectors.list_posts(request.user, found), cursor_of(request))
    context = page_context(request, ids) | {
        "people_list": found,
        "page_title": found.title,
        "surface": Surface.LIST.value,
        "empty": {
            "picture": "list",
            "title": "Quiet here",
            "text": "Posts of the people on this list stand here, newest first.",
            "url": f"/lists/{found.pk}/people",
            "action": "Choose people",
        },
    }
    return show(request, "posts/people_list.html", "posts/_page.html", context)
