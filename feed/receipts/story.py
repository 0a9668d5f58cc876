"""Why a post stands where it stands, told in sentences; each follows from figures of the receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from feed.home_mixer import served_types
from feed.home_mixer.tuning import Tuning
from feed.receipts.words import SECONDS, VERBS, before_lift, multiplies, own_value
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
FOUND_ELSEWHERE = "It was number {} of what another source found."
NAMED = 3  # actions named each way
SMALL = 1e-6
_WORDS = ("No", "One", "Two", "Three")


def tell(receipt: Mapping[str, Any], item: Mapping[str, Any], table: list[Contribution]) -> tuple[Chapter, ...]:
    """Chapters in order: origin, what spoke for it, what was taken off, how it got its place."""
    chapters = [Chapter("Where it came from", tuple(_origin(receipt, item)))]
    if receipt["ranked_by"] == "model":
        chapters.append(Chapter("What speaks for it", tuple(_added(table))))
        chapters.append(Chapter("What was taken off", tuple(_taken(receipt, item, table)) or ("Nothing.",)))
    chapters.append(Chapter("How it got its place", tuple(_place(receipt, item))))
    return tuple(chapters)


def _origin(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    rank = item["receipt"]["source_rank"]
    yield FOUND.get(item["source"], FOUND_ELSEWHERE).format(rank)
    if item["in_network"] and item["source"] not in FOLLOWED:
        yield "It is by somebody you follow, or passed on by them."
    if receipt["is_cached"]:
        earlier_s = (receipt["at_ms"] - item["receipt"]["scored_at_ms"]) / 1000
        yield f"It was found and judged for an earlier page, {earlier_s:,.0f} seconds before."


def _added(table: list[Contribution]) -> Iterator[str]:
    best = sorted((part for part in table if part.added > SMALL), key=lambda part: -part.added)
    for part in best[:NAMED]:
        yield f"{_expectation(part)}, which adds {part.added:.4f}."
    if len(best) > NAMED:
        yield f"{_count(len(best) - NAMED)} smaller ones add {sum(part.added for part in best[NAMED:]):.4f} together."
    if not best:
        yield "No action is likely enough to count."


def _taken(receipt: Mapping[str, Any], item: Mapping[str, Any], table: list[Contribution]) -> Iterator[str]:
    about = item["receipt"]
    worst = sorted((part for part in table if part.added < -SMALL), key=lambda part: part.added)
    for part in worst[:NAMED]:
        yield f"{_expectation(part)}, which takes {-part.added:.4f} away."
    if len(worst) > NAMED:
        lost = -sum(part.added for part in worst[NAMED:])
        yield f"{_count(len(worst) - NAMED)} smaller ones take {lost:.4f} away together."
    if about["diversity"] < 1 and multiplies(receipt, about):
        yield f"{_repeated(about)}, so only {about['diversity']:.0%} of its value counts."
    if about["oon_factor"] < 1 and multiplies(receipt, about):
        what = "It is a reply or a repost" if item["in_network"] else "You do not follow the author"
        yield f"{what}, so {about['oon_factor']:.4g} of its value counts."
    if about["standing_factor"] < 1:
        yield f"Many people turned away from this author lately, so {about['standing_factor']:.0%} of its value counts."
    if not about["vm_factor"]:
        yield "Better or more varied posts were chosen before it, so nothing of its value counts."


def _repeated(about: Mapping[str, Any]) -> str:
    """Why its author counts as repeated; worth more does not mean that they are all on the page."""
    count, reasons = about["author_position"], []
    if count:
        reasons.append(
            f"{_count(count)} {_posts(count)} of the same author {'was' if count == 1 else 'were'} worth more"
        )
    if about["author_history"]:
        reasons.append("you have met this author on the pages before")
    return _sentence(" and ".join(reasons))


def _place(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    early = sum(row["count"] for row in receipt["dropped"] if row["stage"] == "filters")
    yield f"{receipt['num_candidates']:,} posts were looked at; {early:,} were left out by rules first."
    if receipt["ranked_by"] == "time":
        yield "Ranking was not available, so this page is newest first."
    else:
        if receipt["tuning"]:
            yield f"Your own tuning counted: {Tuning.of(receipt['tuning']).words}."
        yield from _value(receipt, item)
    rank = receipt["ranked"].index(item["post_id"]) + 1 if item["post_id"] in receipt["ranked"] else 0
    if rank:
        if {rank - 1, rank - 2} & set(receipt["explored"]):
            yield "It changed places with its neighbour on purpose, to learn whether another order is better."
        yield f"That makes it number {rank} of the {len(receipt['ranked'])} best posts."
    place = sum(1 for other in receipt["items"][: item["position"] + 1] if other["kind"] == "post")
    if rank and place != rank:
        yield f"Posts moved so that ads stand between suitable ones: on the page it is number {place} of them."
    others = sum(1 for other in receipt["items"][: item["position"]] if other["kind"] != "post")
    aside = f", after {others} other {'thing' if others == 1 else 'things'} (ads, suggestions)" if others else ""
    yield f"It stands at place {item['position'] + 1} of {len(receipt['items'])}{aside}."


def _value(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    """From the sum of its parts to what it is worth."""
    about = item["receipt"]
    net, worth, before = about["combined"], about["weighted_score"], before_lift(receipt, about)
    if abs(worth - own_value(receipt, net)) > SMALL:
        yield f"Not that sum was counted, {net:.4f}, but time that you would not regret: {worth:.4f}."
    elif net < 0:
        yield f"More speaks against it than for it; of its sum, {net:.4f}, this is made: {worth:.4f}."
    elif worth - net > SMALL:
        yield f"Every sum above zero gets {worth - net:.4f} on top."
    if about["oon_factor"] > 1 and multiplies(receipt, about):
        what = "It is a reply or a repost" if item["in_network"] else "You do not follow the author"
        yield f"{what}: here its value counts {about['oon_factor']:.4g} times."
    if about["base_score"] - before > SMALL:
        yield f"A small author's turn lifted it from {before:.4f} to {about['base_score']:.4f}."
    yield f"All together it is worth {item['score']:.4f} to you."


def _expectation(part: Contribution) -> str:
    verb = VERBS[part.head][0]
    if part.head in SECONDS:
        return f"You are expected to {verb}: {part.prediction:.1f} seconds"
    chance = f"{part.prediction:.0%}" if part.prediction >= 0.1 else f"{part.prediction:.2%}"
    return f"The chance that you {verb} is {chance}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _count(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)


def _posts(number: int) -> str:
    return "post" if number == 1 else "posts"
