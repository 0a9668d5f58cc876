"""Posts like the one that is looked at: a part of its page, loaded after it, and a page of its own."""

from django.http import HttpResponse
from django.shortcuts import render

from feed.similar import SHOWN, similar_ids
from posts import selectors
from posts.cards import cards_by_id
from posts.types import Surface
from xsocial.kernel.pages import PageRequest

MORE = 20
NONE = {
    "title": "Nothing alike",
    "text": "No other post that you may see comes near this one, or it is too short, or not in English.",
    "url": "/",
    "action": "Home",
}


def similar(request: PageRequest, post_id: int) -> HttpResponse:
    """Public posts near in content that this viewer may be recommended."""
    post = selectors.get_visible_post(request.user, post_id)
    is_part = bool(request.htmx)
    cards = cards_by_id(similar_ids(request.user, post), request.user)[: SHOWN if is_part else MORE]
    context = {"post_id": post.pk, "posts": cards, "surface": Surface.POST_DETAIL.value}
    if is_part:
        return render(request, "feed/_similar.html", context)
    return render(request, "posts/list.html", context | {"page_title": "Similar posts", "empty": NONE})
