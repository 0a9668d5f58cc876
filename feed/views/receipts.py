"""Why a post stood where it stood, and what was left out of a page."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from feed import services
from feed.receipts import left_out as lists
from feed.receipts import rules
from feed.types import Contribution, Explanation
from posts.cards import cards_by_id
from xsocial.kernel import ids
from xsocial.kernel.errors import ApplicationError, NotFound
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
        "story": found.story,
        "table": sorted(found.table, key=lambda part: -abs(part.added)),
        "json": json.dumps(found.receipt, indent=2, ensure_ascii=False, default=str),
        "cards": cards_by_id([post_id], request.user),
    }
    return render(request, "feed/why.html", context)


@signed_in
def page(request: PageRequest, request_id: int) -> HttpResponse:
    """What made a page, and what was left out of it, rule by rule. Others who may look are asked for a reason first."""
    try:
        receipt = services.receipt(request.user, request_id)
    except NotFound:
        if not services.may_look(request.user):
            raise
        return _look(request, request_id)
    return _page(request, receipt, is_mine=True, looks=services.looks(request.user, request_id))


@signed_in
def left_out(request: PageRequest, request_id: int, rule: str) -> HttpResponse:
    """The posts that one rule left out, a page at a time, each with what lifts the rule."""
    page = ids.parsed(request.GET.get("page", "1")) or 0
    found = services.left_out_of(request.user, request_id, rule=rule, page=page)
    address = f"/why/{request_id}/left-out/{rule}"
    context = {
        "page_address": f"/why/{request_id}",
        "found": found,
        "here": f"{address}?page={found.page}",
        "newer": f"{address}?page={found.page - 1}" if found.page > 1 else "",
        "older": f"{address}?page={found.page + 1}" if found.page < found.num_pages else "",
    }
    return render(request, "feed/left_out.html", context)


def _look(request: PageRequest, request_id: int) -> HttpResponse:
    """Somebody else says why; then the page is shown, and the look is on record."""
    complaint = ""
    if request.method == "POST":
        try:
            receipt = services.look(request_id, actor=request.user, reason=request.POST.get("reason", ""))
        except NotFound:
            raise
        except ApplicationError as error:
            complaint = error.message
        else:
            return _page(request, receipt, is_mine=False, looks=[])
    context = {"request_id": request_id, "complaint": complaint}
    return render(request, "feed/look.html", context, status=422 if complaint else 200)


def _page(request: PageRequest, receipt: dict[str, Any], *, is_mine: bool, looks: list[Any]) -> HttpResponse:
    groups = lists.groups(receipt)
    context = {
        "receipt": receipt,
        "groups": groups,
        "num_lower": sum(group.count for group in groups if group.component in rules.LOWER),
        "num_kept_out": sum(group.count for group in groups if group.component not in rules.LOWER),
        "num_served": sum(item["kind"] == "post" for item in receipt["items"]),
        "is_mine": is_mine,
        "looks": looks,
    }
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
