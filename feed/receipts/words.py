"""A receipt in words: why this post, what added, what took away, and its way to its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from accounts.models import User
from feed.home_mixer import served_types
from feed.home_mixer.params import HEADS
from feed.home_mixer.scorers import value_model
from feed.home_mixer.tuning import Tuning
from feed.types import Contribution, Step

# What each head predicts, as "you are likely to ..." and as a short label.
VERBS = {
    "favorite": ("like it", "Like"),
    "reply": ("reply", "Reply"),
    "repost": ("repost it", "Repost"),
    "photo_expand": ("open the picture", "Open picture"),
    "click": ("open it", "Open post"),
    "profile_click": ("visit the author", "Visit profile"),
    "vqv": ("watch the video", "Watch video"),
    "share": ("share it", "Share"),
    "share_via_dm": ("send it to someone", "Send to someone"),
    "share_via_copy_link": ("copy its link", "Copy link"),
    "dwell": ("stop and read", "Read"),
    "quote": ("quote it", "Quote"),
    "quoted_click": ("open what it quotes", "Open quote"),
    "quoted_vqv": ("watch the quoted video", "Watch quoted video"),
    "follow_author": ("follow the author", "Follow author"),
    "not_interested": ("say you are not interested", "Not interested"),
    "block_author": ("block the author", "Block author"),
    "mute_author": ("mute the author", "Mute author"),
    "report": ("report it", "Report"),
    "not_dwelled": ("scroll past", "Scroll past"),
    "dwell_time": ("spend time on it", "Reading time"),
    "click_dwell_time": ("spend time inside", "Time inside"),
    "video_open": ("open the video", "Open video"),
    "open_link": ("follow its link", "Open link"),
    "post_unexplored": ("find it new", "New to you"),
    "active_secs_5m_residual_norm": ("stay longer than usual", "Time afterwards"),
}
SECONDS = ("dwell_time", "click_dwell_time")
# The sentence names no action below these, nor compares with the page below this ratio.
LEAST_CHANCE = 0.05
LEAST_SECONDS = 1.0
STANDS_OUT = 1.2
SOURCES = {
    served_types.IN_NETWORK: "People you follow",
    served_types.RANKED_FOLLOWING: "People you follow",
    served_types.PHOENIX: "Recommended for you",
    served_types.PHOENIX_MOE: "Recommended for you",
    served_types.SIMCLUSTERS: "Liked by people with your tastes",
    served_types.POPULAR: "Popular right now",
    served_types.PUSH_TO_HOME: "From a notification",
}


def contributions(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> list[Contribution]:
    """Every head with a prediction: what it was, its weight, what it added."""
    about = item["receipt"]
    heads = np.array([[about["predictions"].get(head, np.nan) for head in HEADS]])
    found = value_model.Conditions.of_rows([about["conditions"]])
    terms = value_model.contributions(heads, receipt["weights"], found)[0]
    weights = value_model.weight_vector(receipt["weights"])
    # Receipts of older builds did not keep what the model said before calibration.
    raw = about.get("raw_predictions", {})
    return [
        Contribution(
            head,
            VERBS[head][1],
            raw.get(head, float(heads[0, place])),
            float(heads[0, place]),
            float(weights[place]),
            float(terms[place]),
        )
        for place, head in enumerate(HEADS)
        if head in about["predictions"]
    ]


def summary(receipt: Mapping[str, Any], item: Mapping[str, Any], table: list[Contribution]) -> str:
    """One sentence: where the post came from, and the action that speaks for it more than for its page."""
    origin = _origin(item)
    if receipt["ranked_by"] == "time":
        return f"{origin}; this page is in order of time."
    usual = _page_means(receipt)
    telling = [part for part in table if part.added > 0 and part.prediction >= _least(part.head)]
    if not telling:
        return f"{origin}."
    best = max(telling, key=lambda part: part.added - usual[part.head][1])
    return f"{origin}, and {_likely(best, usual[best.head][0])}."


def own_value(receipt: Mapping[str, Any], net: float) -> float:
    """What the published sum makes of a net value."""
    values = value_model.offset(
        np.array([net]), receipt["weights"], receipt["epsilon"], without=tuple(receipt["left_out"])
    )
    return float(value_model.normalised(values)[0])


def multiplies(receipt: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Whether diversity and network count for this post: by one parameter only where its sum is not negative."""
    return receipt["value_mode"] != "mpn" or about["combined"] >= 0


def before_lift(receipt: Mapping[str, Any], about: Mapping[str, Any]) -> float:
    """What a post was worth when a small author's turn came."""
    if receipt["value_mode"] != "mpn":
        return float(about["weighted_score"])
    factor = about["diversity"] * about["oon_factor"] if multiplies(receipt, about) else 1.0
    return own_value(receipt, about["combined"] * factor)


def _page_means(receipt: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """By head, the mean prediction and the mean contribution over the posts of the page."""
    parts = defaultdict(list)
    for item in receipt["items"]:
        if item["kind"] == "post":
            for part in contributions(receipt, item):
                parts[part.head].append((part.prediction, part.added))
    return {head: tuple(np.mean(rows, axis=0).tolist()) for head, rows in parts.items()}


def _least(head: str) -> float:
    return LEAST_SECONDS if head in SECONDS else LEAST_CHANCE


def _likely(part: Contribution, usual: float) -> str:
    """What the reader would probably do, beside the page's mean where the post stands out from it."""
    verb = VERBS[part.head][0]
    stands_out = part.prediction >= STANDS_OUT * usual
    if part.head in SECONDS:
        compared = f" ({usual:.0f} on average on this page)" if stands_out else ""
        return f"you would probably {verb}: about {part.prediction:.0f} seconds{compared}"
    compared = f" ({usual:.0%} on average on this page)" if stands_out else ""
    if part.prediction >= 0.5:
        return f"you would probably {verb}: {part.prediction:.0%}{compared}"
    return f"there is a {part.prediction:.0%} chance that you {verb}{compared}"


def _origin(item: Mapping[str, Any]) -> str:
    about = item["receipt"]
    if about["repost_of_id"] and item["in_network"]:
        return f"{_author(item)}, whom you follow, reposted this"
    if item["in_network"]:
        return f"You follow {_author(item)}"
    if item["source"] == served_types.POPULAR:
        return "This is popular right now"
    if item["source"] == served_types.SIMCLUSTERS:
        return "People with your tastes like this"
    if item["source"] in (served_types.PHOENIX, served_types.PHOENIX_MOE):
        return "This resembles what you have been reading"
    return "This was recommended to you"


def _author(item: Mapping[str, Any]) -> str:
    """Whose name the page could not load in time is looked up now."""
    name = item["receipt"]["author_name"]
    if not name:
        name = User.objects.filter(pk=item["author_id"]).values_list("username", flat=True).first()
    return f"@{name}" if name else "the author"


def path(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> list[Step]:
    """From the source to the place on the page."""
    about = item["receipt"]
    steps = [Step("Source", f"{SOURCES.get(item['source'], item['source'])}, place {about['source_rank']} there")]
    if receipt["ranked_by"] == "time":
        steps.append(Step("Order", "newest first"))
    else:
        if receipt["tuning"]:
            steps.append(Step("Your own tuning", Tuning.of(receipt["tuning"]).words))
        steps += _from_sum(receipt, item) if receipt["value_mode"] == "mpn" else _from_value(receipt, item)
    if about["standing_factor"] < 1:
        steps.append(Step("Many turned away from the author", f"times {about['standing_factor']:.3g}"))
    if not about["vm_factor"]:
        steps.append(Step("More varied posts were chosen", "times 0"))
    if about["propensity"] not in (None, 1.0):
        steps.append(Step("Trial of another order", f"chance {about['propensity']:.0%}"))
    steps.append(Step("Score", f"{item['score']:.4f}"))
    steps.append(Step("Place", str(item["position"] + 1)))
    return steps


def _from_value(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> list[Step]:
    """Offset, a small author's turn, multipliers: the published order."""
    about = item["receipt"]
    steps = [Step("Expected value", f"{about['weighted_score']:.4f}")]
    return [*steps, *_turn(receipt, about), *_multipliers(item)]


def _from_sum(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> list[Step]:
    """Multipliers on what is net-positive, offset, a small author's turn."""
    about = item["receipt"]
    steps = [Step("Sum of its parts", f"{about['combined']:.4f}")]
    if multiplies(receipt, about):
        steps += _multipliers(item)
    return [*steps, Step("Expected value", f"{before_lift(receipt, about):.4f}"), *_turn(receipt, about)]


def _turn(receipt: Mapping[str, Any], about: Mapping[str, Any]) -> list[Step]:
    if about["base_score"] - before_lift(receipt, about) <= 1e-6:
        return []
    return [Step("A small author's turn", f"lifted to {about['base_score']:.4f}")]


def _multipliers(item: Mapping[str, Any]) -> list[Step]:
    about, steps = item["receipt"], []
    if about["diversity"] < 1:
        why = "Other posts of this author first" if about["author_position"] else "Author met on earlier pages"
        steps.append(Step(why, f"times {about['diversity']:.3g}"))
    if about["oon_factor"] != 1:
        why = "A reply or a repost" if item["in_network"] else "From outside your network"
        steps.append(Step(why, f"times {about['oon_factor']:.3g}"))
    return steps
