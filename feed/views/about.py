"""Pages of words: how the feed is made, and the keys of the keyboard."""

from django.http import HttpResponse
from django.shortcuts import render

from feed import disclosure, weights
from xsocial.kernel.pages import PageRequest
from xsocial.kernel.paging import Cursor

CHANGES = 30
SHORTCUTS = [
    (("j", "k"), "Next and previous post"),
    (("o",), "Open the post"),
    (("l",), "Like"),
    (("r",), "Reply"),
    (("t",), "Repost"),
    (("b",), "Bookmark"),
    (("c",), "Copy the link"),
    (("n",), "Write a post"),
    (("/",), "Search"),
    (("g", "h"), "Go home"),
    (("g", "f"), "Go to Following"),
    (("g", "n"), "Go to notifications"),
    (("g", "b"), "Go to bookmarks"),
    (("g", "l"), "Go to lists"),
    (("g", "s"), "Go to settings"),
    (("?",), "This list"),
]


def shortcuts(request: PageRequest) -> HttpResponse:
    template = "feed/_shortcuts.html" if request.htmx else "feed/shortcuts.html"
    return render(request, template, {"shortcuts": SHORTCUTS})


def feed(request: PageRequest) -> HttpResponse:
    """How ranking works, and what it works with at this moment."""
    context = {
        "now": disclosure.in_force(),
        "changes": disclosure.changes(Cursor(limit=CHANGES)),
        "broken": weights.broken_links(),
    }
    return render(request, "feed/about.html", context)
