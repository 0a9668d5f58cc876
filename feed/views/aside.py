"""What stands beside a page: active tags and people worth following. Loaded after the page."""

from django.http import HttpResponse
from django.shortcuts import render

from accounts.selectors import people
from feed.views.for_you import suggestion
from posts import selectors
from xsocial.kernel.pages import PageRequest, viewer

NUM_TAGS = 5
NUM_PEOPLE = 3


def aside(request: PageRequest) -> HttpResponse:
    me = viewer(request)
    suggested = people.who_to_follow(me, limit=NUM_PEOPLE) if me else []
    context = {"trends": selectors.active_tags(limit=NUM_TAGS), "suggestions": [suggestion(user) for user in suggested]}
    response = render(request, "components/_aside_cards.html", context)
    response["Cache-Control"] = "private, max-age=120"
    return response
