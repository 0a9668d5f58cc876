"""Buttons on a post. Each answers with the button as it now is, or goes back without script."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from posts import selectors, services
from posts.cards import PostCard, buttons_card, cards_by_id, polled_card
from posts.models import Post
from posts.types import POLL_MAX_OPTIONS, EngagementKind, Surface
from xsocial.kernel.errors import Invalid, NotFound
from xsocial.kernel.pages import PageRequest, action, done, parse_id, signed_in

# What the page's own script may report; everything else has a button or a service of its own.
LOGGED_KINDS = {
    "click": EngagementKind.CLICK,
    "profile_click": EngagementKind.PROFILE_CLICK,
    "photo_expand": EngagementKind.PHOTO_EXPAND,
    "quoted_click": EngagementKind.QUOTED_CLICK,
    "share_via_copy_link": EngagementKind.SHARE_VIA_COPY_LINK,
    "video_view": EngagementKind.VIDEO_VIEW,
    "open_link": EngagementKind.OPEN_LINK,
}


def surface_of(request: PageRequest) -> Surface:
    """The part of the product the page says it is; an unknown one counts as unspecified."""
    raw = request.POST.get("surface", "")
    known = {str(surface.value): surface for surface in Surface}
    return known.get(raw, Surface.UNSPECIFIED)


def card_of(request: PageRequest, post_id: int) -> PostCard:
    """The post's card as it is now. Raises NotFound alike for none and a hidden one."""
    cards = cards_by_id([post_id], request.user)
    if not cards:
        raise NotFound("This post does not exist, or you may not see it.")
    return cards[0]


def _toggle(template: str, act: Callable[[PageRequest, Post], object], words: str = "", undo: str = ""):
    """The view of a button that changes one state of a post."""

    @action
    def view(request: PageRequest, post_id: int) -> HttpResponse:
        post = selectors.get_visible_post(request.user, post_id)
        act(request, post)
        context = {"post": buttons_card(post, request.user)}
        return done(request, template, context, words=words, undo=undo.format(post_id) if undo else "")

    return view


like = _toggle(
    "posts/_like_button.html",
    lambda request, post: services.favorite(user=request.user, post=post, **_origin(request)),
)
unlike = _toggle(
    "posts/_like_button.html",
    lambda request, post: services.unfavorite(user=request.user, post=post),
)
repost = _toggle(
    "posts/_repost_button.html",
    lambda request, post: services.repost(user=request.user, post=post, **_origin(request)),
    words="Reposted",
    undo="/posts/{}/unrepost",
)
unrepost = _toggle(
    "posts/_repost_button.html",
    lambda request, post: services.undo_repost(user=request.user, post=post),
    words="Repost undone",
)
bookmark = _toggle(
    "posts/_bookmark_button.html",
    lambda request, post: services.bookmark(user=request.user, post=post, **_origin(request)),
    words="Saved to bookmarks",
    undo="/posts/{}/unbookmark",
)
unbookmark = _toggle(
    "posts/_bookmark_button.html",
    lambda request, post: services.unbookmark(user=request.user, post=post),
    words="Removed from bookmarks",
    undo="/posts/{}/bookmark",
)


@action
def vote(request: PageRequest, post_id: int) -> HttpResponse:
    """Cast a ballot; the poll comes back with its numbers."""
    places = [place for place in request.POST.getlist(f"poll_{post_id}") if place in map(str, range(POLL_MAX_OPTIONS))]
    services.vote(voter=request.user, post_id=post_id, choices=list(map(int, places)))
    post = selectors.get_visible_post(request.user, post_id)
    return done(request, "posts/_poll.html", {"post": polled_card(post, request.user)}, words="Your vote counts")


@action
def pin(request: PageRequest, post_id: int) -> HttpResponse:
    """Keep a post of one's own at the top of one's profile."""
    services.pin(user=request.user, post=selectors.get_visible_post(request.user, post_id))
    return done(request, words="Pinned to your profile", undo=f"/posts/{post_id}/unpin")


@action
def unpin(request: PageRequest, post_id: int) -> HttpResponse:
    services.unpin(user=request.user, post=selectors.get_visible_post(request.user, post_id))
    return done(request, words="No longer pinned", undo=f"/posts/{post_id}/pin")


def _origin(request: PageRequest) -> dict[str, Any]:
    """Where the action happened: the surface and the page load."""
    return {"surface": surface_of(request), "request_id": parse_id(request.POST.get("request_id"))}


def _record(request: PageRequest, post_id: int, kind: EngagementKind, seconds: float | None = None) -> None:
    services.record_engagement(user=request.user, post_id=post_id, kind=kind, seconds=seconds, **_origin(request))


@action
def log(request: PageRequest, post_id: int) -> HttpResponse:
    """A click, an opened picture or a watched video, told by the page's script."""
    kind = LOGGED_KINDS.get(request.POST.get("kind", ""))
    if kind is None:
        raise Invalid("Unknown kind of action.")
    _record(request, post_id, kind, _seconds(request.POST.get("seconds")))
    return HttpResponse(status=204)


def _seconds(raw: str | None) -> float | None:
    if not raw:
        return None
    try:
        return float(raw)
    except ValueError as error:
        raise Invalid("Seconds must be a number.") from error


@action
def not_interested(request: PageRequest, post_id: int) -> HttpResponse:
    """Show less like this: the card gives way to a line that says so."""
    _record(request, post_id, EngagementKind.NOT_INTERESTED)
    return _gone(request, "You will see less like this.")


@action
def mute_author(request: PageRequest, post_id: int) -> HttpResponse:
    post = selectors.get_visible_post(request.user, post_id)
    services.mute_author(user=request.user, post=post, **_origin(request))
    return _author_gone(request, post, f"@{post.author.username} is muted.", "unmute")


@action
def block_author(request: PageRequest, post_id: int) -> HttpResponse:
    post = selectors.get_visible_post(request.user, post_id)
    services.block_author(user=request.user, post=post, **_origin(request))
    return _author_gone(request, post, f"@{post.author.username} is blocked.", "unblock")


def _author_gone(request: PageRequest, post: Post, words: str, undo: str) -> HttpResponse:
    """The page's other posts by the same author leave with this one."""
    response = _gone(request, words, undo=f"/@{post.author.username}/{undo}")
    response["HX-Trigger"] = json.dumps({"author-gone": {"author": str(post.author_id)}})
    return response


def _gone(request: PageRequest, words: str, *, undo: str = "") -> HttpResponse:
    return done(request, "posts/_gone.html", {"words": words, "undo": undo}, words="" if request.htmx else words)


@signed_in
def menu(request: PageRequest, username: str, post_id: int) -> HttpResponse:
    """What else one can do about a post: a floating panel, or a page without script."""
    context = {"post": card_of(request, post_id), "request_id": parse_id(request.GET.get("request"))}
    return render(request, "posts/_menu.html" if request.htmx else "posts/menu.html", context)


@signed_in
def delete(request: PageRequest, post_id: int) -> HttpResponse:
    """Asks once, for this cannot be undone."""
    if request.method != "POST":
        template = "posts/_delete.html" if request.htmx else "posts/delete.html"
        return render(request, template, {"post": card_of(request, post_id)})
    services.delete_post(actor=request.user, post=selectors.get_visible_post(request.user, post_id))
    if not request.htmx:
        return redirect(f"/@{request.user.username}")
    return done(request, words="Post deleted")


def card(request: PageRequest, post_id: int) -> HttpResponse:
    """One post's card, for a page that wants to add it."""
    return render(request, "posts/_post.html", {"post": card_of(request, post_id)})
