"""Writing and rewriting posts."""

import json
from secrets import token_urlsafe

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format

from posts import selectors, services
from posts.forms import ComposeForm, EditForm
from posts.models import Media, Post, ScheduledPost
from posts.types import POST_MAX_LENGTH, Visibility
from posts.views.actions import card_of
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import PageRequest, add_errors, parse_id, signed_in, with_toast


@signed_in
def compose(request: PageRequest) -> HttpResponse:
    """The composer: a page of its own, or a sheet over the page one is on."""
    if request.method == "POST":
        return _publish(request)
    reply_to, quote = parse_id(request.GET.get("reply_to")), parse_id(request.GET.get("quote"))
    parent = selectors.get_visible_post(request.user, reply_to) if reply_to else None
    initial = {"reply_to": reply_to, "quote": quote, "key": token_urlsafe(16), "text": _opening(request, parent)}
    if parent:
        initial["visibility"] = parent.visibility
        initial["spoiler_text"] = parent.spoiler_text
    return _show(request, ComposeForm(initial=initial), reply_to, quote)


def _opening(request: PageRequest, parent: Post | None) -> str:
    """What stands in the field already: a shared text, or the people a reply is for."""
    if parent and parent.author_id != request.user.pk and parent.visibility == Visibility.DIRECT:
        return f"@{parent.author.username} "
    return request.GET.get("text", "")[:POST_MAX_LENGTH]


def _show(
    request: PageRequest, form: ComposeForm, reply_to: int | None, quote: int | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "max_length": POST_MAX_LENGTH, "key": form["key"].value() or token_urlsafe(16)}
    for name, post_id in (("parent", reply_to), ("quoted", quote)):
        if post_id:
            context[name] = card_of(request, post_id)
    response = render(request, "posts/_composer.html" if request.htmx else "posts/compose.html", context, status=status)
    response["X-Form"] = "1"
    return response


def _publish(request: PageRequest) -> HttpResponse:
    form = ComposeForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            post = _create(request, form)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return _published(request, post) if isinstance(post, Post) else _scheduled(request, post)
    values = form.cleaned_data
    return _show(request, form, values.get("reply_to"), values.get("quote"), status=422)


def _create(request: PageRequest, form: ComposeForm) -> Post | ScheduledPost:
    values = form.cleaned_data
    refers = {
        name: selectors.get_visible_post(request.user, values[source]) if values[source] else None
        for name, source in (("in_reply_to", "reply_to"), ("quote_of", "quote"))
    }
    content = {
        "author": request.user,
        "text": values["text"],
        "media": _uploaded(request, form),
        "poll": form.poll_draft(),
        "spoiler_text": values["spoiler_text"],
        "sensitive": values["sensitive"],
        "visibility": values["visibility"] or Visibility.PUBLIC,
        "subscribers_only": values["subscribers_only"],
        "idempotency_key": values["key"],
        **refers,
    }
    if values["scheduled_at"]:
        return services.schedule_post(at=values["scheduled_at"], **content)
    return services.create_post(**content)


def _uploaded(request: PageRequest, form: ComposeForm) -> list[Media]:
    pairs = zip(form.cleaned_data["files"], form.alt_texts(), strict=True)
    return [services.upload_media(owner=request.user, file=file, alt_text=alt) for file, alt in pairs]


def _scheduled(request: PageRequest, scheduled: ScheduledPost) -> HttpResponse:
    when = date_format(timezone.localtime(scheduled.due_at), "j F, H:i")
    if not request.htmx:
        return redirect("posts:scheduled")
    return with_toast(HttpResponse(status=204), f"Will be posted on {when}")


def _published(request: PageRequest, post: Post) -> HttpResponse:
    url = f"/@{request.user.username}/{post.pk}"
    if not request.htmx:
        return redirect(url)
    news = {
        "toast": {"text": "Posted", "undo": ""},
        "posted": {"id": str(post.pk), "in_reply_to": str(post.in_reply_to_id or "")},
    }
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(news)})


@signed_in
def edit(request: PageRequest, post_id: int) -> HttpResponse:
    """Change the words of one's own post; the earlier ones stay in its history."""
    post = selectors.get_visible_post(request.user, post_id)
    initial = {"text": post.text, "spoiler_text": post.spoiler_text, "sensitive": post.sensitive}
    form = EditForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_post(editor=request.user, post=post, **form.cleaned_data)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return redirect(f"/@{post.author.username}/{post.pk}")
    context = {"form": form, "post": post, "max_length": POST_MAX_LENGTH}
    return render(request, "posts/edit.html", context, status=422 if form.errors else 200)
