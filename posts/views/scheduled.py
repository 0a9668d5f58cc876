"""One's posts for later: the list, another time or other words, and thinking better of it."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from posts import selectors, services
from posts.forms import ScheduledForm
from posts.types import POST_MAX_LENGTH
from posts.views.lists import cursor_of, next_page
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import PageRequest, action, add_errors, done, signed_in


@signed_in
def scheduled(request: PageRequest) -> HttpResponse:
    rows = selectors.scheduled_posts(request.user, cursor_of(request))
    context = {"rows": rows, "next_url": next_page(request, [row.pk for row in rows])}
    return render(request, "posts/scheduled.html", context)


@signed_in
def edit(request: PageRequest, scheduled_id: int) -> HttpResponse:
    row = selectors.scheduled_post(request.user, scheduled_id)
    initial = {"text": row.draft["text"], "visibility": row.draft["visibility"], "scheduled_at": row.due_at}
    form = ScheduledForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        # A form sent back with its old time changes the words alone, even shortly before it is due.
        at = values["scheduled_at"] if "scheduled_at" in form.changed_data else None
        try:
            services.change_scheduled(
                owner=request.user,
                scheduled_id=row.pk,
                at=at,
                text=values["text"],
                visibility=values["visibility"],
            )
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return redirect("posts:scheduled")
    context = {"form": form, "row": row, "max_length": POST_MAX_LENGTH}
    return render(request, "posts/scheduled_edit.html", context, status=422 if form.errors else 200)


@action
def cancel(request: PageRequest, scheduled_id: int) -> HttpResponse:
    services.cancel_scheduled(owner=request.user, scheduled_id=scheduled_id)
    return done(request, words="Cancelled", default_next="/scheduled")
