"""A person's own negative signals: what each still weighs, and taking it back."""

from django.http import HttpResponse
from django.shortcuts import render

from feed.signals import own
from xsocial.kernel import ids
from xsocial.kernel.pages import PageRequest, action, done, signed_in

ADDRESS = "/settings/signals"


@signed_in
def signals(request: PageRequest) -> HttpResponse:
    found = own.of_person(request.user, ids.parsed(request.GET.get("page", "1")) or 0)
    context = {
        "found": found,
        "here": f"{ADDRESS}?page={found.page}",
        "newer": f"{ADDRESS}?page={found.page - 1}" if found.page > 1 else "",
        "older": f"{ADDRESS}?page={found.page + 1}" if found.page < found.num_pages else "",
    }
    return render(request, "feed/signals.html", context)


@action
def withdraw(request: PageRequest, kind: str, pk: int) -> HttpResponse:
    own.withdraw(request.user, kind, pk)
    return done(request, words="Taken back.", default_next=ADDRESS)
