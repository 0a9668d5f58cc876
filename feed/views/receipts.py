"""Why a post stood where it stood, and what was left out of a page."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from feed import services
from feed.receipts import rules
from feed.types import Contribution, Explanation
from posts.cards import cards_by_id
from xsocial.kernel.pages import PageRequest, signed_in

LARGEST = 3


@signed_in
def why(request: PageRequest, request_id: int, post_id: int) -> HttpResponse:
    """The receipt of one post: a sentence, the largest parts, the way to its place."""
    found = services.explain(request.user, request_id, post_id)
    if request.htmx and "all" not in request.GET:
        return render(request, "feed/_receipt.html", {"receipt": _short(found)})
    context = {
        "receipt": _short(found),
        "table": sorted(found.table, key=lambda part: -abs(part.added)),
        "json": json.dumps(found.receipt, indent=2, ensure_ascii=False, default=str),
        "cards": cards_by_id([post_id], request.user),
    }
    return render(request, "feed/why.html", context)


@signed_in
def page(request: PageRequest, request_id: int) -> HttpResponse:
    """What made a page, and what was left out of it, filter by filter."""
    receipt = services.receipt(request.user, request_id)
    dropped = [{**part, "words": rules.of(part["filter"]).words} for part in receipt["dropped"] if part["count"]]
    context = {"receipt": receipt, "dropped": dropped, "num_dropped": sum(part["count"] for part in dropped)}
    return render(request, "feed/page_receipt.html", context)


def _short(found: Explanation) -> dict[str, Any]:
    shown = [*found.added[:LARGEST], *found.taken[:LARGEST]]
    folded = [*found.added[LARGEST:], *found.taken[LARGEST:]]
    longest = max((abs(part.added) for part in shown), default=0.0) or 1.0
    return {
        "request_id": found.request_id,
        "post_id": found.post_id,
        "sentence": found.summary,
        "bars": [_bar(part, longest) for part in shown],
        "num_folded": len(folded),
        "folded_words": signed(sum(part.added for part in folded)),
        "path": found.path,
    }


def _bar(part: Contribution, longest: float) -> dict[str, Any]:
    percent = max(1, round(abs(part.added) / longest * 100))
    return {"label": part.label, "is_down": part.added < 0, "percent": percent, "words": signed(part.added)}


def signed(value: float) -> str:
    """A contribution with its sign and as many digits as say something, such as +0.41 or +0.0032."""
    digits = 2 if abs(value) >= 0.1 else 4
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return f"{sign}{abs(value):.{digits}f}"
