"""A person's page: who they are, and their posts by tab; their followers and whom they follow."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.selectors import people
from accounts.types import Relationship
from posts import selectors
from posts.cards import cards_by_id
from posts.views.lists import cursor_of, page_context, show
from xsocial.kernel import richtext
from xsocial.kernel.pages import PageRequest, parse_id, viewer

TABS: dict[str, dict[str, Any]] = {
    "posts": {},
    "replies": {"with_replies": True, "with_reposts": False},
    "media": {"only_media": True, "with_reposts": False, "with_replies": True},
}
EMPTY = {
    "posts": ("pen", "No posts yet", "What they write will stand here."),
    "replies": ("reply", "No replies yet", "What they answer to others will stand here."),
    "media": ("image", "No pictures yet", "Pictures and videos will stand here."),
}


def relation_of(relationship: Relationship | None) -> str:
    """The state of the follow button."""
    if relationship is None:
        return ""
    return "following" if relationship.is_following else "requested" if relationship.is_requested else ""


def profile(request: PageRequest, username: str, tab: str = "posts") -> HttpResponse:
    me = viewer(request)
    if me and not me.is_reachable and me.username.lower() == username.lower():
        return redirect("people:settings_account")  # where it says why nobody sees this page
    person = people.get_user(username)
    if person.username != username:
        return redirect(request.path.replace(username, person.username, 1))
    relationship = people.relationship(me, person) if me and me.pk != person.pk else None
    posts = selectors.profile_posts(me, person, **TABS[tab])
    pinned: list[int] = []
    if tab == "posts" and not _is_blocked(relationship):
        pinned = selectors.pinned_ids(me, person)
        posts = posts.exclude(pk__in=pinned)
    ids = [] if _is_blocked(relationship) else selectors.page_ids(posts, cursor_of(request))
    context = page_context(request, ids) | {
        "pinned": cards_by_id(pinned, me) if pinned and "max_id" not in request.GET else [],
        "person": person,
        "bio": richtext.to_html(person.bio),
        "tab": tab,
        "is_me": me is not None and me.pk == person.pk,
        "relationship": relationship,
        "relation": relation_of(relationship),
        "empty": _empty(person, relationship, tab, is_me=me is not None and me.pk == person.pk),
    }
    return show(request, "posts/profile.html", "posts/_page.html", context)


def _is_blocked(relationship: Relationship | None) -> bool:
    return relationship is not None and (relationship.is_blocking or relationship.is_blocked_by)


def _empty(person: User, relationship: Relationship | None, tab: str, *, is_me: bool) -> dict[str, str]:
    picture, title, text = EMPTY[tab]
    if is_me:
        text = text.replace("What they", "What you")
    elif relationship and relationship.is_blocking:
        picture, title, text = "block", "You blocked this account", "Neither of you sees the other's posts."
    elif relationship and relationship.is_blocked_by:
        picture, title, text = "block", "You are blocked", "This account does not want you to see its posts."
    elif person.is_locked and not (relationship and relationship.is_following):
        picture, title, text = "lock", "These posts are protected", "Only followers who were accepted can see them."
    return {"picture": picture, "title": title, "text": text}


def followers(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    edges = people.followers(viewer(request), person, max_id=parse_id(request.GET.get("max_id")))
    found = [edge.follower for edge in edges]
    return _people(request, f"Followers of {person.name}", person, edges, found)


def following(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    edges = people.following(viewer(request), person, max_id=parse_id(request.GET.get("max_id")))
    found = [edge.followee for edge in edges]
    return _people(request, f"{person.name} follows", person, edges, found)


def _people(request: PageRequest, title: str, person: User, edges: list, found: list[User]) -> HttpResponse:
    mark_relations(request, found)
    context = {
        "page_title": title,
        "back": f"/@{person.username}",
        "people": found,
        "next_url": f"{request.path}?max_id={edges[-1].pk}" if len(edges) == people.PAGE else "",
        "is_more": "max_id" in request.GET,
    }
    return show(request, "posts/people.html", "accounts/_people.html", context)


def mark_relations(request: PageRequest, found: list[User]) -> None:
    """Give each person the state of its follow button, in a fixed number of queries."""
    me = viewer(request)
    stands = people.relationships(me, [user.pk for user in found]) if me else {}
    for user in found:
        user.relation = relation_of(stands.get(user.pk))
