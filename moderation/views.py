"""Reporting a post or an account: a sheet over the page, or a page of its own."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.selectors import people
from moderation import services
from moderation.forms import ReportForm
from posts import selectors
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import PageRequest, add_errors, done, signed_in

THANKS = "Thank you. Moderators will look at it."


@signed_in
def report_post(request: PageRequest, post_id: int) -> HttpResponse:
    post = selectors.get_visible_post(request.user, post_id)
    about = {"title": f"Report a post by {post.author.name}", "back": f"/@{post.author.username}/{post.pk}"}
    return _report(request, about, post=post)


@signed_in
def report_account(request: PageRequest, username: str) -> HttpResponse:
    person = people.get_user(username)
    about = {"title": f"Report {person.name}", "back": f"/@{person.username}"}
    return _report(request, about, account=person)


def _report(request: PageRequest, about: dict[str, str], **target: Any) -> HttpResponse:
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.report(user=request.user, **form.cleaned_data, **target)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return done(request, words=THANKS, default_next=about["back"])
    template = "moderation/_report.html" if request.htmx else "moderation/report.html"
    response = render(request, template, {"form": form, **about}, status=422 if form.errors else 200)
    response["X-Form"] = "1"
    return response
