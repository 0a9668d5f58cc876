"""What every HTML view needs: who looks, where to go afterwards, and how an action answers."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from xsocial.kernel import ids
from xsocial.kernel.errors import ApplicationError, Invalid, NotAllowed

View = Callable[..., HttpResponse]


class PageRequest(HttpRequest):
    """A request as it arrives at a page: with htmx's marks, and with our own user model."""

    htmx: Any
    user: Any


def viewer(request: PageRequest) -> Any:
    """The signed-in user, or None."""
    return request.user if request.user.is_authenticated else None


def is_from_script(request: PageRequest) -> bool:
    """Whether htmx asks, for a part of the page."""
    return bool(getattr(request, "htmx", False))


def signed_in(view: View) -> View:
    """Only for people with an account: others go to the log-in, a script's request is refused."""

    @wraps(view)
    def guarded(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if is_from_script(request) or request.method != "GET":
            raise NotAllowed("Please sign in first.")
        return redirect_to_login(request.get_full_path(), str(settings.LOGIN_URL))

    return guarded


def action(view: View) -> View:
    """A POST by a signed-in person."""
    return require_POST(signed_in(view))


def next_url(request: PageRequest, default: str = "/") -> str:
    """Where the form asked to go afterwards, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or default
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else default


def with_toast(response: HttpResponse, words: str, *, undo: str = "", **events: Any) -> HttpResponse:
    """Ask the page to show a short message, with the address that takes the action back."""
    response["HX-Trigger"] = json.dumps({"toast": {"text": words, "undo": undo}, **events})
    return response


def done(
    request: PageRequest,
    template: str = "",
    context: dict[str, Any] | None = None,
    *,
    words: str = "",
    undo: str = "",
    default_next: str = "/",
) -> HttpResponse:
    """Answer an action: the changed part for a script, else a redirect back with the message."""
    if not is_from_script(request):
        if words:
            messages.success(request, words)
        return HttpResponseRedirect(next_url(request, default_next))
    response = render(request, template, context) if template else HttpResponse()
    return with_toast(response, words, undo=undo) if words else response


def error_response(request: PageRequest, error: ApplicationError) -> HttpResponse:
    """The page of an application error; a script gets the message in a header."""
    if getattr(request, "htmx", False):
        response = HttpResponse(error.message, status=error.status, content_type="text/plain; charset=utf-8")
    else:
        response = render(
            request, "error.html", {"message": error.message, "status": error.status}, status=error.status
        )
    response["X-Message"] = quote(error.message)
    return response


def parse_id(raw: str | None) -> int | None:
    """An id from a query string; None when absent. Raises Invalid for anything but a number."""
    if not raw:
        return None
    found = ids.parsed(raw)
    if found is None:
        raise Invalid("This address is not complete.")
    return found


def parse_json(raw: str) -> Any:
    """What a script sent as JSON. Raises Invalid for anything else, too deep a nesting included."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid("This is not JSON.") from error


def add_errors(form: Any, error: ApplicationError) -> None:
    """Show a service's refusal at the field it names, else above the form."""
    by_field = {name: value for name, value in error.extra.items() if name in form.fields}
    for name, text in by_field.items():
        form.add_error(name, text)
    if not by_field:
        named = error.extra.get("field")
        form.add_error(named if named in form.fields else None, error.message)
