"""Pages of moderation: reporting, the labels of one's post, and the moderators' queue."""

from collections import Counter
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.selectors import people
from moderation import selectors as findings
from moderation import services
from moderation.forms import AppealForm, ReportForm
from moderation.grox.drift import NOTABLE
from moderation.models import PostLabel
from moderation.plots import Plot, Section, plot
from moderation.types import LABEL_WORDS, QueueKind
from posts import selectors
from posts.models import Post
from xsocial.kernel.errors import ApplicationError, Invalid, NotFound
from xsocial.kernel.pages import PageRequest, View, action, add_errors, done, signed_in

APPEALED = "Thank you. Somebody will look at it again."
KINDS = {QueueKind.REPORTS: "Reports", QueueKind.UNSURE: "Unsure", QueueKind.APPEALS: "Appeals"}
_NAMES = (
    ("spam", "Spam", "s"),
    ("abuse", "Abuse", "a"),
    ("hate", "Hate", "h"),
    ("violence", "Violence", "v"),
    ("adult", "Adult", "x"),
    ("self_harm", "Self-harm", "l"),
)
#: Of each queue: the form's value, the word on the button, the key that presses it.
VERDICTS = {
    QueueKind.REPORTS: (("dismiss", "Dismiss", "d"), ("uphold", "Uphold, no label", "u"), *_NAMES),
    QueueKind.UNSURE: (("dismiss", "Harmless", "d"), *_NAMES),
    QueueKind.APPEALS: (("uphold", "Grant", "u"), ("dismiss", "Refuse", "d")),
}
WAITING = "A bar a day, as it stood at midnight UTC; the last one is now."
SCREENING = (
    "A bar a day. Seconds are those that nineteen of twenty new posts took at most; milliseconds are what the "
    "classifiers spent on one post, on average."
)
DRIFT = (
    "A bar a week: how far a classifier's scores are from those of the weeks before, as the population stability index "
    f"of its most moved class. Above the line, at {NOTABLE:g}, somebody should look."
)
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


@signed_in
def post_labels(request: PageRequest, post_id: int) -> HttpResponse:
    """What limits a post and why, for its author and for moderators; a strip of it for the post's page."""
    post = _own_post(request, post_id)
    is_strip = bool(request.htmx)
    cards = findings.label_cards(post.pk)
    if is_strip:
        cards = [card for card in cards if card.is_active and card.is_restricting]
    context = {"post": post, "back": _address(post), "cards": cards, "form": AppealForm()}
    if not is_strip:
        context["not_scored"] = findings.why_not_scored(post.pk)
    return render(request, "moderation/_labels_strip.html" if is_strip else "moderation/labels.html", context)


def _own_post(request: PageRequest, post_id: int) -> Post:
    """Raise NotFound unless the post is the viewer's, or the viewer moderates."""
    post = Post.objects.select_related("author").filter(pk=post_id, deleted_at=None).first()
    if post is None or not (post.author_id == request.user.pk or services.is_moderator(request.user)):
        raise NotFound("There is no such post of yours.")
    return post


def _address(post: Post) -> str:
    return f"/@{post.author.username}/{post.pk}"


@action
def appeal_label(request: PageRequest, label_id: int) -> HttpResponse:
    label = PostLabel.objects.select_related("post__author").filter(pk=label_id).first()
    if label is None:
        raise NotFound("There is no such label.")
    services.appeal(author=request.user, label=label, statement=request.POST.get("statement", ""))
    return done(request, words=APPEALED, default_next=f"/posts/{label.post_id}/labels")


def _for_moderators(view: View) -> View:
    @wraps(view)
    def guarded(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not services.is_moderator(request.user):
            raise NotFound("There is nothing here.")
        return view(request, *args, **kwargs)

    return signed_in(guarded)


@_for_moderators
def queue(request: PageRequest) -> HttpResponse:
    """What waits for a decision; a POST decides what was ticked."""
    kind = _kind(request.POST.get("kind") or request.GET.get("kind"))
    if request.method == "POST":
        ids = [int(value) for value in request.POST.getlist("id") if value.isascii() and value.isdigit()]
        if not ids:
            raise Invalid("Tick what you want to decide.")
        verdict, note = request.POST.get("verdict", ""), request.POST.get("note", "")[:1000]
        num_done, refusals = services.decide_many(
            moderator=request.user, kind=kind, ids=ids, verdict=verdict, note=note
        )
        left = [f"{number} left: {why}" for why, number in Counter(refusals).items()]
        words = " ".join([f"{num_done} decided.", *left])
        return done(request, words=words, default_next=f"/moderation?kind={kind}")
    context = {
        "kind": kind,
        "counts": [(each, KINDS[each], number) for each, number in findings.waiting().items()],
        "entries": findings.entries(kind),
        "num_unscored": findings.num_posts_with_unscored_media(),
        "verdicts": VERDICTS[kind],
    }
    return render(request, "moderation/queue.html", context)


@_for_moderators
def dashboard(request: PageRequest) -> HttpResponse:
    """Volume, speed, findings, the queue's age and appeals, drawn."""
    board = findings.dashboard()

    def of_days(series: dict[str, list[float]]) -> list[Plot]:
        return [plot(name, row, board.days) for name, row in series.items()]

    screening = {
        "Posts screened": board.volume,
        "Seconds from post to label": board.seconds,
        "Milliseconds of a post": board.milliseconds,
        "Percent not scored": [100 * share for share in board.not_scored],
    }
    waiting = {
        "Hours the oldest report waited": board.oldest_report_hours,
        "Hours the oldest appeal waited": board.oldest_appeal_hours,
    }
    labels = {LABEL_WORDS.get(name, name): row for name, row in board.labels.items()}
    drifts = [
        plot(each.task, each.indices, board.weeks, limit=NOTABLE, is_notable=each.is_notable) for each in board.drifts
    ]
    sections = [
        Section("The queue", WAITING, of_days(waiting)),
        Section("Screening", SCREENING, of_days(screening)),
        Section("Labels put on", "How many of each kind, a bar a day.", of_days(labels)),
        Section("Drift of the classifiers", DRIFT, drifts),
    ]
    return render(request, "moderation/dashboard.html", {"board": board, "sections": sections})


def _kind(raw: str | None) -> QueueKind:
    try:
        return QueueKind(raw or QueueKind.REPORTS)
    except ValueError as error:
        raise Invalid("There is no such queue.") from error
