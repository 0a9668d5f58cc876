"""Why a post stands where it stands, told in sentences; each follows from figures of the receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from feed.home_mixer import served_types
from feed.receipts.words import SECONDS, VERBS
from feed.types import Chapter, Contribution

FOLLOWED = (served_types.IN_NETWORK, served_types.RANKED_FOLLOWING)
# Where a post was found, with its rank there.
FOUND = {
    **dict.fromkeys(FOLLOWED, "It was number {} of the newest posts by people you follow."),
    served_types.PHOENIX: "Among all recent posts it was number {} in likeness to what you have been reading.",
    served_types.PHOENIX_MOE: "Among all recent posts a second model put it at number {} for you.",
    served_types.SIMCLUSTERS: "It was number {} of what people with your tastes like.",
    served_types.POPULAR: "It was number {} of what many people like at the moment.",
    served_types.PUSH_TO_HOME: "It comes from a notification that you opened.",
}
NAMED = 3  # actions named each way
SMALL = 1e-6
_WORDS = ("No", "One", "Two", "Three")


def tell(receipt: Mapping[str, Any], item: Mapping[str, Any], table: list[Contribution]) -> tuple[Chapter, ...]:
    """Chapters in order: origin, what spoke for it, what was taken off, how it got its place."""
    chapters = [Chapter("Where it came from", tuple(_origin(receipt, item)))]
    if receipt["ranked_by"] == "model":
        chapters.append(Chapter("What speaks for it", tuple(_added(table))))
        chapters.append(Chapter("What was taken off", tuple(_taken(item, table)) or ("Nothing.",)))
    chapters.append(Chapter("How it got its place", tuple(_place(receipt, item))))
    return tuple(chapters)


def _origin(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    rank = item["receipt"]["source_rank"]
    yield FOUND.get(item["source"], FOUND[served_types.PHOENIX]).format(rank)
    if item["in_network"] and item["source"] not in FOLLOWED:
        yield "It is by somebody you follow, or passed on by them."
    if receipt["is_cached"]:
        yield "It was found and judged for the page before this one, a few minutes earlier."


def _added(table: list[Contribution]) -> Iterator[str]:
    best = sorted((part for part in table if part.added > SMALL), key=lambda part: -part.added)
    for part in best[:NAMED]:
        yield f"{_expectation(part)}, which adds {part.added:.4f}."
    if len(best) > NAMED:
        yield f"{_count(len(best) - NAMED)} smaller ones add {sum(part.added for part in best[NAMED:]):.4f} together."
    if not best:
        yield "No action is likely enough to count."


def _taken(item: Mapping[str, Any], table: list[Contribution]) -> Iterator[str]:
    about = item["receipt"]
    worst = sorted((part for part in table if part.added < -SMALL), key=lambda part: part.added)
    for part in worst[:NAMED]:
        yield f"{_expectation(part)}, which takes {-part.added:.4f} away."
    if len(worst) > NAMED:
        lost = -sum(part.added for part in worst[NAMED:])
        yield f"{_count(len(worst) - NAMED)} smaller ones take {lost:.4f} away together."
    if about["diversity"] < 1:
        before = about["author_position"]
        reason = (
            f"{_count(before)} better {_posts(before)} of the same author came first"
            if before
            else ("You have met this author on the pages before")
        )
        yield f"{reason}, so only {about['diversity']:.0%} of its value counts."
    if about["oon_factor"] < 1:
        what = "It is a reply or a repost" if item["in_network"] else "You do not follow the author"
        yield f"{what}, so {about['oon_factor']:.4g} of its value counts."
    if about["standing_factor"] < 1:
        yield f"Many people turned away from this author lately, so {about['standing_factor']:.0%} of its value counts."


def _place(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    about = item["receipt"]
    early = sum(row["count"] for row in receipt["dropped"] if row["stage"] == "filters")
    yield f"{receipt['num_candidates']:,} posts were looked at; {early:,} were left out by rules before any was ranked."
    if receipt["ranked_by"] == "time":
        yield "Ranking was not available, so this page is newest first."
    elif about["base_score"] - about["weighted_score"] > SMALL:
        yield f"A small author's turn lifted it from {about['weighted_score']:.4f} to {about['base_score']:.4f}."
    if receipt["ranked_by"] == "model":
        yield f"All together it is worth {item['score']:.4f} to you."
    if item["post_id"] in receipt["ranked"]:
        rank = receipt["ranked"].index(item["post_id"]) + 1
        yield f"That makes it number {rank} of the {len(receipt['ranked'])} best posts."
    if about["propensity"] not in (None, 1.0):
        yield "On this page a few neighbours were swapped on purpose, to learn whether another order is better."
    others = sum(1 for other in receipt["items"][: item["position"]] if other["kind"] != "post")
    aside = f", after {others} other {'thing' if others == 1 else 'things'} (ads, suggestions)" if others else ""
    yield f"It stands at place {item['position'] + 1} of {len(receipt['items'])}{aside}."


def _expectation(part: Contribution) -> str:
    verb = VERBS[part.head][0]
    if part.head in SECONDS:
        return f"You are expected to {verb}: {part.prediction:.1f} seconds"
    chance = f"{part.prediction:.0%}" if part.prediction >= 0.1 else f"{part.prediction:.2%}"
    return f"The chance that you {verb} is {chance}"


def _count(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)


def _posts(number: int) -> str:
    return "post" if number == 1 else "posts"
