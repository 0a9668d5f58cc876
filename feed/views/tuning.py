"""Tuning one's own feed: choose, try on the last page, keep, take away as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render

from feed import services, tuning
from feed.forms import TuningForm
from feed.home_mixer.tuning import GROUPS, STRANGERS, Tuning
from feed.receipts.preview import Line, Preview
from posts.cards import PostCard, cards_by_id
from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.pages import PageRequest, action, add_errors, done, signed_in

ADDRESS = "/settings/feed/tune"
WORDS = {"up": "rises", "down": "falls", "same": "stays", "new": "comes in", "gone": "goes"}
SEVERAL = {"up": "rise", "down": "fall", "new": "come in", "gone": "go", "same": "stay"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the preview as the page shows it; no card for a post that is not to be seen any more."""

    line: Line
    words: str
    card: PostCard | None


@signed_in
def tune(request: PageRequest) -> HttpResponse:
    """The form, filled with what counts now or with a preset; a POST keeps it."""
    if request.method == "POST":
        form = TuningForm(request.POST)
        if form.is_valid():
            try:
                tuning.save(request.user, form.multipliers())
            except ApplicationError as error:
                add_errors(form, error)
            else:
                return done(request, words="Saved. Your next page follows it.", default_next=ADDRESS)
        return _page(request, form)
    preset = tuning.PRESETS.get(request.GET.get("preset", ""))
    return _page(request, _filled(preset.tuning if preset else tuning.of(request.user)), preset=preset)


@action
def preview(request: PageRequest) -> HttpResponse:
    """The last page under what is chosen in the form, which nothing is kept of: a part, or the whole page."""
    form = TuningForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    tried = Tuning.of(form.multipliers())
    context = _outcome(tried) | _tried(request, tried)
    if request.htmx:
        return render(request, "feed/_tuned.html", context)
    return _page(request, form, **context)


@action
def reset(request: PageRequest) -> HttpResponse:
    tuning.reset(request.user)
    return done(request, words="Reset. Your next page is as the site has it.", default_next=ADDRESS)


@signed_in
def export(request: PageRequest) -> HttpResponse:
    """What is kept, as a file."""
    body = orjson.dumps(tuning.document(tuning.of(request.user)), option=orjson.OPT_INDENT_2)
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="xsocial-feed-tuning.json"'
    return response


@action
def read(request: PageRequest) -> HttpResponse:
    """A file fills the form; it is kept when the form is saved."""
    file = request.FILES.get("file")
    try:
        found = tuning.read(file.read(tuning.MAX_FILE + 1) if file else b"")
    except ApplicationError as error:
        return _page(request, _filled(tuning.of(request.user)), file_error=error.message)
    return _page(request, _filled(found), from_file=True)


def _filled(chosen: Tuning) -> Form:
    return TuningForm(initial={name: f"{value:g}" for name, value in chosen.all.items()})


def _page(request: PageRequest, form: Form, **context: Any) -> HttpResponse:
    shown = Tuning.of({name: float(form[name].value()) for name in form.fields}) if not form.errors else Tuning()
    context = _outcome(shown) | {"form": form, "is_on": tuning.is_on(), "presets": tuning.PRESETS} | context
    context["rows"] = [(form[group.name], context["results"][group.name]) for group in GROUPS]
    is_refused = bool(form.errors or context.get("file_error"))
    return render(request, "feed/tune.html", context, status=422 if is_refused else 200)


def _outcome(tried: Tuning) -> dict[str, Any]:
    """What every action, and every group of them, would count for."""
    table = tuning.weighings(tried)
    own = {row.head: row for row in table}
    results = {
        group.name: ", ".join(f"{own[head].label} {own[head].own:.4g}" for head in group.heads if own[head].site)
        for group in GROUPS
    }
    factor = tuning.strangers_factor(tried)
    results[STRANGERS] = f"Their posts count {factor:.3g} times" if tried.times(STRANGERS) else "Their posts come last"
    return {"table": table, "results": results}


def _tried(request: PageRequest, tried: Tuning) -> dict[str, Any]:
    """The last page under this tuning, or why there is none."""
    try:
        found = services.preview_tuning(request.user, tried)
    except ApplicationError as error:
        return {"complaint": error.message}
    return {"preview": found, "summary": _summary(found), "lines": _rows(request, found)}


def _summary(found: Preview) -> str:
    if found.count("same") == len(found.lines):
        return "Your last page would have been the same."
    counts = {words: found.count(change) for change, words in SEVERAL.items()}
    parts = [f"{count} {words}" for words, count in counts.items() if count]
    return f"Of the posts of your last page {', '.join(parts)}."


def _rows(request: PageRequest, found: Preview) -> list[Row]:
    cards = {card.entry_id: card for card in cards_by_id([line.post_id for line in found.lines], request.user)}
    return [Row(line, WORDS[line.change], cards.get(line.post_id)) for line in found.lines]
