"""What stands beside a page: active tags and people worth following. Loaded after the page."""

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from accounts.selectors import people
from feed.views.for_you import suggestion
from posts.models import PostTag
from posts.types import Visibility
from xsocial.kernel import clock
from xsocial.kernel.pages import PageRequest, viewer

NUM_TAGS = 5
NUM_PEOPLE = 3
WINDOW = timedelta(days=1)
# A tag is active when this many different people used it, so that nobody makes one alone.
MIN_AUTHORS = 3


def aside(request: PageRequest) -> HttpResponse:
    me = viewer(request)
    suggested = people.who_to_follow(me, limit=NUM_PEOPLE) if me else []
    context = {"trends": active_tags(), "suggestions": [suggestion(user) for user in suggested]}
    response = render(request, "components/_aside_cards.html", context)
    response["Cache-Control"] = "private, max-age=120"
    return response


def active_tags() -> list[dict[str, Any]]:
    """The tags most people used in public in the last day."""
    links = PostTag.objects.filter(
        post__created_at__gte=clock.now() - WINDOW,
        post__deleted_at=None,
        post__visibility=Visibility.PUBLIC,
        post__author__is_locked=False,
    )
    counted = links.values("tag__name").annotate(num_authors=Count("post__author", distinct=True))
    busiest = counted.filter(num_authors__gte=MIN_AUTHORS).order_by("-num_authors", "tag__name")[:NUM_TAGS]
    return [{"name": row["tag__name"], "num_authors": row["num_authors"]} for row in busiest]
