"""Sanity figures of a generated world: is it rich enough, and neither too easy nor too noisy?"""

from typing import Any

import numpy as np

from feed.simulation.authoring import DAY
from feed.simulation.behaviour import BASE_RATES, DWELL_RATE, HEADS
from feed.simulation.world import World
from posts.types import EngagementKind

LEAST_ORACLE_AUC = 0.75
LEAST_GAP = 0.03


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by ranks, ties halved; nan without both classes."""
    positives = int(labels.sum())
    if positives in (0, len(labels)):
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


def summary(world: World) -> dict[str, Any]:
    """All figures by name."""
    made, done, posts = world.recorded.impressions, world.recorded.engagements, world.posts
    total = len(made["user"])
    on_page = done["kind"][done["page"] >= 0]
    return {
        "users": len(world.people),
        "posts": len(posts),
        "posts_last_48h": int((posts.seconds > world.end - 2 * DAY).sum()),
        "replies": int((posts.in_reply_to >= 0).sum()),
        "quotes": int((posts.quote_of >= 0).sum()),
        "reposts": int((posts.repost_of >= 0).sum()),
        "impressions": total,
        "engagements": len(done["user"]),
        "rates": {
            name: round(float((on_page == EngagementKind[name.upper()]).sum()) / max(total, 1), 5) for name in HEADS
        },
        "degrees": _degrees(world),
        "thread_depth": np.bincount(posts.depth).tolist(),
        "posts_with_engagement": _engaged_shares(world),
        "impressions_per_user": _quantiles(np.bincount(made["user"], minlength=len(world.people))),
        "favorite_auc": favorite_aucs(world),
    }


def _quantiles(values: np.ndarray) -> dict[str, float]:
    return {f"p{point}": round(float(np.percentile(values, point)), 1) for point in (5, 50, 95, 100)}


def _degrees(world: World) -> dict[str, Any]:
    source, target = world.society.follows.pairs()
    n = len(world.people)
    in_degree = np.bincount(target, minlength=n)
    return {
        "follows": len(source),
        "mutual_share": round(float(world.society.follows.has(target, source).mean()), 3),
        "followers": _quantiles(in_degree),
        "following": _quantiles(np.bincount(source, minlength=n)),
        "demo_following": np.bincount(source, minlength=n)[world.people.demo].tolist(),
        "hidden_gem_followers": round(float(in_degree[world.people.is_hidden_gem].mean()), 1)
        if world.people.is_hidden_gem.any()
        else None,
    }


def _engaged_shares(world: World) -> dict[str, float]:
    done, posts = world.recorded.engagements, world.posts
    active = np.isin(done["kind"], [EngagementKind[name.upper()] for name in ("favorite", "reply", "repost", "quote")])
    counts = np.bincount(done["row"][active], minlength=len(posts))[posts.repost_of < 0]
    return {
        "none": round(float((counts == 0).mean()), 3),
        "one_or_more": round(float((counts >= 1).mean()), 3),
        "ten_or_more": round(float((counts >= 10).mean()), 4),
    }


def favorite_aucs(world: World) -> dict[str, float]:
    """AUC for favorites of the last days: what popularity or author affinity alone can tell."""
    made, done, truth = world.recorded.impressions, world.recorded.engagements, world.recorded.truth
    rows = len(world.posts)
    late = truth["impression"]
    keys = made["user"].astype(np.int64) * rows + made["row"]
    liked = done["kind"] == EngagementKind.FAVORITE
    liked_keys = done["user"][liked].astype(np.int64) * rows + done["row"][liked]
    labels = np.isin(keys[late], liked_keys)
    user, row, now = made["user"][late], made["row"][late], made["seconds"][late]
    return {
        "popularity": round(auc(labels, _rate_before(done["row"][liked], done["seconds"][liked], made, row, now)), 3),
        "author_affinity": round(auc(labels, _author_affinity(world, liked, user, row, now.min())), 3),
        "oracle": round(auc(labels, truth["probabilities"][:, HEADS.index("favorite")]), 3),
    }


def _counts_before(rows: np.ndarray, seconds: np.ndarray, row: np.ndarray, now: np.ndarray) -> np.ndarray:
    """How many events of each row came before a moment."""
    scale = 1e8  # longer than any history in seconds
    events = np.sort(rows * scale + seconds)
    return np.searchsorted(events, row * scale + now) - np.searchsorted(events, row * scale)


def _rate_before(
    rows: np.ndarray, seconds: np.ndarray, made: dict[str, np.ndarray], row: np.ndarray, now: np.ndarray
) -> np.ndarray:
    """Smoothed favorites per view as of each moment: the strongest popularity score."""
    likes = _counts_before(rows, seconds, row, now)
    views = _counts_before(made["row"], made["seconds"], row, now)
    return (likes + 20 * BASE_RATES["favorite"]) / (views + 20)


def _author_affinity(world: World, liked: np.ndarray, user: np.ndarray, row: np.ndarray, before: float) -> np.ndarray:
    """Smoothed favorites per view of the same person for the same author, before the sample."""
    done, made, authors = world.recorded.engagements, world.recorded.impressions, world.posts.author
    n = len(world.people)
    wanted = user.astype(np.int64) * n + authors[row]
    early = liked & (done["seconds"] < before)
    like_keys = np.sort(done["user"][early].astype(np.int64) * n + authors[done["row"][early]])
    seen = made["seconds"] < before
    view_keys = np.sort(made["user"][seen].astype(np.int64) * n + authors[made["row"][seen]])
    likes, views = (
        np.searchsorted(keys, wanted, side="right") - np.searchsorted(keys, wanted) for keys in (like_keys, view_keys)
    )
    return (likes + 5 * BASE_RATES["favorite"]) / (views + 5)


def complaints(figures: dict[str, Any]) -> list[str]:
    """What makes the world unfit to learn from, in words."""
    found, areas = [], figures["favorite_auc"]
    if areas["oracle"] < LEAST_ORACLE_AUC:
        found.append(f"too noisy: the oracle's AUC for favorites is {areas['oracle']}, below {LEAST_ORACLE_AUC}")
    if areas["oracle"] - areas["popularity"] < LEAST_GAP:
        found.append(f"too easy: popularity reaches {areas['popularity']} of the oracle's {areas['oracle']}")
    return found


def as_text(figures: dict[str, Any]) -> str:
    """The figures for a terminal, with the targets beside the rates."""
    targets = BASE_RATES | {"dwell": DWELL_RATE}
    lines = [f"{name}: {value}" for name, value in figures.items() if name != "rates"]
    lines.append("rates per impression (target):")
    for name, rate in figures["rates"].items():
        lines.append(f"  {name:22} {rate:8.5f}  ({targets.get(name, '-')})")
    lines += [f"WARNING {complaint}" for complaint in complaints(figures)]
    return "\n".join(lines)


def loop_as_text(figures: dict[str, Any]) -> str:
    """The closed loop's figures for a terminal: value by day, then every figure by policy."""
    names = list(figures["policies"])
    lines = ["engagement value per impression", _row("day", *names)]
    for day in figures["days"]:
        lines.append(_row(day["day"], *(day["policies"][name].get("value") for name in names)))
    keys = [key for key in next(iter(figures["policies"].values())) if key != "pages"]
    lines += ["", "over all days", _row("", *names)]
    lines += [_row(key, *(figures["policies"][name].get(key) for name in names)) for key in keys]
    lines.append("")
    lines += [
        f"{days}, {name}: {'-' if ratio is None else f'{ratio:.2f}'}"
        for days, ratios in figures["ratios"].items()
        for name, ratio in ratios.items()
    ]
    return "\n".join([*lines, f"{figures['seconds']:.0f} s"])


def _row(*cells: Any) -> str:
    first, *others = (cell if isinstance(cell, str) else _number(cell) for cell in cells)
    return f"{first:18}" + "".join(f"{cell:>15}" for cell in others)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
