"""Follow, mute and block buttons of profiles and lists."""

from django.http import HttpResponse
from django.shortcuts import render

from accounts import services
from accounts.cards import person_card
from accounts.models import User
from accounts.selectors import people
from xsocial.kernel.pages import PageRequest, action, done, parse_id, signed_in


@action
def follow(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    state = services.follow(follower=request.user, followee=person)
    return _button(request, person, str(state))


@action
def unfollow(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.unfollow(follower=request.user, followee=person)
    return _button(request, person, "")


def _button(request: PageRequest, person: User, relation: str) -> HttpResponse:
    context = {"person": person_card(person), "relation": relation}
    return done(request, "accounts/_follow_button.html", context, default_next=f"/@{person.username}")


@action
def subscribe(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.subscribe(subscriber=request.user, author=person)
    return _subscription_button(request, person, is_subscribed=True)


@action
def unsubscribe(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.unsubscribe(subscriber=request.user, author=person)
    return _subscription_button(request, person, is_subscribed=False)


def _subscription_button(request: PageRequest, person: User, *, is_subscribed: bool) -> HttpResponse:
    context = {"person": person_card(person), "is_subscribed": is_subscribed}
    words = f"You subscribe to @{person.username}." if is_subscribed else "Subscription ended."
    return done(request, "accounts/_subscribe_button.html", context, words=words, default_next=f"/@{person.username}")


@action
def mute(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.mute(muter=request.user, muted=person)
    return done(request, words=f"@{person.username} is muted.", default_next=f"/@{person.username}")


@action
def unmute(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.unmute(muter=request.user, muted=person)
    return done(request, words=f"@{person.username} is no longer muted.", default_next=f"/@{person.username}")


@action
def block(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.block(blocker=request.user, blocked=person)
    return done(request, words=f"@{person.username} is blocked.", default_next=f"/@{person.username}")


@action
def unblock(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.unblock(blocker=request.user, blocked=person)
    return done(request, words=f"@{person.username} is no longer blocked.", default_next=f"/@{person.username}")


@action
def remove_follower(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    services.remove_follower(user=request.user, follower=person)
    return done(request, words=f"@{person.username} no longer follows you.", default_next=f"/@{person.username}")


@signed_in
def follow_requests(request: PageRequest) -> HttpResponse:
    """Who waits for an answer."""
    waiting = people.follow_requests(request.user, max_id=parse_id(request.GET.get("max_id")))
    return render(request, "accounts/follow_requests.html", {"people": [row.requester for row in waiting]})


@action
def answer_request(request: PageRequest, username: str, answer: str) -> HttpResponse:
    """`answer` is "accept" or "reject", by the address."""
    person = people.get_user(username)
    act = services.accept_follow if answer == "accept" else services.reject_follow
    act(target=request.user, requester=person)
    words = f"@{person.username} now follows you." if answer == "accept" else "Request declined."
    return done(request, words=words, default_next="/follow_requests")
