"""Looking for posts and people."""

from typing import Any

from django.http import HttpResponse

from accounts.selectors import people
from posts import selectors
from posts.views.lists import cursor_of, page_context, show
from posts.views.profiles import mark_relations
from xsocial.kernel.pages import PageRequest

MAX_PEOPLE = 40


def search(request: PageRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:200]
    kind = "people" if request.GET.get("in") == "people" else "posts"
    context: dict[str, Any] = {"query": query, "kind": kind, "empty": _nothing(query)}
    if query and kind == "people":
        found = people.search_people(request.user, query, limit=MAX_PEOPLE)
        mark_relations(request, found)
        context["people"] = found
    elif query:
        posts = selectors.matching_posts(request.user, query)
        context |= page_context(request, selectors.page_ids(posts, cursor_of(request)))
    return show(request, "posts/search.html", "posts/_page.html", context)


def _nothing(query: str) -> dict[str, str]:
    text = "Try fewer words, or look among people."
    return {"picture": "search", "title": f"Nothing found for “{query}”", "text": text}
