"""Why a post stood where it stood, and what was left out of a page."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from feed import services
from feed.types import Contribution, Explanation
from posts.cards import cards_by_id
from xsocial.kernel.pages import PageRequest, signed_in

LARGEST = 3
# Every filter of both pipelines in words; a receipt of an older build may name others.
FILTERS = {
    "AgeFilter": "Too old",
    "AncillaryVFFilter": "Answers, quotes or reposts a post held back by moderation",
    "AuthorSocialgraphFilter": "Blocked or muted",
    "CoreDataHydrationFilter": "Deleted meanwhile",
    "DedupConversationFilter": "Another post of the same conversation was better",
    "DropDuplicatesFilter": "Found twice",
    "IneligibleSubscriptionFilter": "For subscribers only",
    "MutedKeywordFilter": "Has a word you muted",
    "NewUserTopicIdsFilter": "Outside the topics you chose",
    "PreviouslySeenPostsBackupFilter": "You saw it already, says the log",
    "PreviouslySeenPostsFilter": "You saw it already",
    "PreviouslyServedPostsFilter": "It was on an earlier page",
    "RetweetDeduplicationFilter": "The same post, reposted again",
    "ScreenedFilter": "Not checked by moderation yet",
    "SelfTweetFilter": "Your own post",
    "VFFilter": "Held back by moderation",
    "VideoFilter": "You asked for no videos",
    "TopicIdsFilter": "Another topic",
}


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
    dropped = [
        {**part, "words": FILTERS.get(part["filter"], part["filter"])} for part in receipt["dropped"] if part["count"]
    ]
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
