"""Settings: profile, feed, filters, language. Security is allauth's, in the same clothes."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts import entrance, services
from accounts.forms import FeedForm, KeywordForm, ProfileForm, RegionForm
from accounts.selectors import interests, people
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import PageRequest, action, add_errors, done, signed_in

YEAR_S = 365 * 86_400


@signed_in
def overview(request: PageRequest) -> HttpResponse:
    return render(request, "accounts/settings.html")


@signed_in
def profile(request: PageRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, request.FILES or None, initial=ProfileForm.initial_of(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_profile(user=request.user, **form.cleaned_data)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return redirect(f"/@{request.user.username}")
    return _form(request, "accounts/settings_profile.html", form)


@signed_in
def region(request: PageRequest) -> HttpResponse:
    initial = RegionForm.initial_of(request.user) | {"theme": request.COOKIES.get("theme", "")}
    form = RegionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        theme = form.cleaned_data.pop("theme")
        services.update_profile(user=request.user, **form.cleaned_data)
        response = done(request, words="Saved", default_next="/settings")
        response.set_cookie("theme", theme, max_age=YEAR_S, samesite="Lax", secure=request.is_secure(), httponly=True)
        return response
    return _form(request, "accounts/settings_region.html", form)


@signed_in
def feed(request: PageRequest) -> HttpResponse:
    """Feed preferences and topics."""
    form = FeedForm(request.POST or None, instance=interests.preferences(request.user))
    if request.method == "POST" and form.is_valid():
        services.set_preferences(user=request.user, **form.cleaned_data)
        return done(request, words="Saved. Your next page follows it.", default_next="/settings/feed")
    chosen = {row.topic_id: row.is_snoozed for row in interests.followed_topics(request.user)}
    topics = [(topic, _topic_state(chosen.get(topic.pk))) for topic in interests.topics()]
    return _form(request, "accounts/settings_feed.html", form, topics=topics)


def _topic_state(is_snoozed: bool | None) -> str:
    return "" if is_snoozed is None else "snoozed" if is_snoozed else "followed"


@action
def set_topic(request: PageRequest, slug: str, wish: str) -> HttpResponse:
    """`wish` is "follow", "snooze" or "forget", by the address."""
    topic = interests.get_topic(slug)
    act = {"follow": services.follow_topic, "snooze": services.snooze_topic, "forget": services.unfollow_topic}[wish]
    act(user=request.user, topic=topic)
    state = {"follow": "followed", "snooze": "snoozed", "forget": ""}[wish]
    return done(request, "accounts/_topic.html", {"topic": topic, "state": state}, default_next="/settings/feed")


@signed_in
def filters(request: PageRequest) -> HttpResponse:
    """Muted words, muted and blocked accounts."""
    form = KeywordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        phrase = form.cleaned_data["phrase"]
        try:
            services.add_muted_keyword(user=request.user, phrase=phrase, expires_at=form.expires_at())
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return done(request, words=f"“{phrase}” is muted.", default_next="/settings/filters")
    return _form(
        request,
        "accounts/settings_filters.html",
        form,
        keywords=interests.muted_keyword_rows(request.user),
        mutes=people.mutes(request.user),
        blocks=people.blocks(request.user),
    )


@action
def remove_keyword(request: PageRequest, keyword_id: int) -> HttpResponse:
    services.remove_muted_keyword(user=request.user, keyword_id=keyword_id)
    return done(request, words="Unmuted", default_next="/settings/filters")


def _form(request: PageRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


@signed_in
def account(request: PageRequest) -> HttpResponse:
    """Pausing the account, and the way to close it."""
    return render(request, "accounts/settings_account.html", {"days": settings.ACCOUNT_GRACE_DAYS})


@signed_in
def apps(request: PageRequest) -> HttpResponse:
    """The apps that act for this person."""
    return render(request, "accounts/settings_apps.html", {"apps": people.apps(request.user)})


@action
def sign_out_app(request: PageRequest, application_id: int) -> HttpResponse:
    services.sign_out_apps(user=request.user, application_id=application_id)
    return done(request, words="The app is signed out.", default_next="/settings/apps")


@signed_in
@reauthentication_required
def close(request: PageRequest) -> HttpResponse:
    """Asks once, of whoever has just shown the password; the owner hears by mail how to take it back."""
    if request.method != "POST":
        return render(request, "accounts/settings_close.html", {"days": settings.ACCOUNT_GRACE_DAYS})
    closes_at = services.close_account(user=request.user)
    entrance.tell_of_closing(request, request.user, closes_at)
    logout(request)
    if not settings.ACCOUNT_GRACE_DAYS:
        return done(request, words="Your account is closed, and erased within the hour.")
    until = date_format(localtime(closes_at), "j F Y")
    return done(request, words=f"Your account is closed. Sign in before {until} to take it back.")


@action
def deactivate(request: PageRequest) -> HttpResponse:
    services.deactivate_account(user=request.user)
    return done(request, words="Your account is paused. Nobody sees it now.", default_next="/settings/account")


@action
def reactivate(request: PageRequest) -> HttpResponse:
    services.reactivate_account(user=request.user)
    return done(request, words="Welcome back.", default_next="/settings/account")
