"""How far the author's own posts came."""

from django.http import HttpResponse
from django.shortcuts import render

from feed.reach import funnel, plot
from xsocial.kernel.pages import PageRequest, signed_in


@signed_in
def reach(request: PageRequest) -> HttpResponse:
    found = funnel.of_author(request.user)
    return render(request, "feed/reach.html", {"funnel": found, "plot": plot.of(found), "k": funnel.K})
