"""A viewer's own say over the weights: a few bounded multipliers, each over a group of predicted actions.

Pure: the site's weights and a tuning in, the weights that count for this viewer out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AS_IS = 1.0
STEPS = (0.0, 0.25, 0.5, AS_IS, 1.5, 2.0, 3.0)
#: What somebody would object to can count for more, never for less.
NEVER_LESS = tuple(step for step in STEPS if step >= AS_IS)
STRANGERS = "strangers"
#: Strangers who count for nothing stand last and keep their order: the published factor of new accounts.
LAST = 0.00001


@dataclass(frozen=True, slots=True)
class Group:
    """Predicted actions that are tuned together; ``steps`` are the multipliers one can choose."""

    name: str
    label: str
    about: str
    heads: tuple[str, ...] = ()
    steps: tuple[float, ...] = STEPS


GROUPS: tuple[Group, ...] = (
    Group("conversations", "Conversations", "Posts you are likely to answer or quote.", ("reply", "quote")),
    Group(
        "passing_on",
        "Passing on",
        "Posts you are likely to repost, share or send to someone.",
        ("repost", "share", "share_via_dm", "share_via_copy_link"),
    ),
    Group("likes", "Likes", "Posts you are likely to like.", ("favorite",)),
    Group(
        "reading",
        "Reading",
        "Posts you are likely to open, follow a link from, or spend time on.",
        (
            "click",
            "dwell",
            "quoted_click",
            "open_link",
            "dwell_time",
            "click_dwell_time",
            "active_secs_5m_residual_norm",
        ),
    ),
    Group(
        "watching",
        "Pictures and video",
        "Posts whose picture or video you are likely to open.",
        ("photo_expand", "vqv", "quoted_vqv", "video_open"),
    ),
    Group(
        "discovering",
        "Discovering",
        "Posts that are new to you, and people you are likely to visit or follow.",
        ("profile_click", "follow_author", "post_unexplored"),
    ),
    Group(STRANGERS, "People I do not follow", "Everything by people you do not follow. At 0 it comes last."),
    Group(
        "objections",
        "What I would object to",
        "How much it counts against a post that you might hide, mute, block, report or skip it.",
        ("not_interested", "block_author", "mute_author", "report", "not_dwelled"),
        NEVER_LESS,
    ),
)
BY_NAME: Mapping[str, Group] = {group.name: group for group in GROUPS}
_GROUP_OF: Mapping[str, str] = {head: group.name for group in GROUPS for head in group.heads}


@dataclass(frozen=True)
class Tuning:
    """Multipliers by group; a group left out counts as the site has it."""

    multipliers: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, multipliers: Mapping[str, Any]) -> Tuning:
        """From what was stored or checked: without what changes nothing, and without what is no choice any more."""
        sound = {name: float(value) for name, value in multipliers.items() if not problem(name, value)}
        return cls({group.name: sound[group.name] for group in GROUPS if sound.get(group.name, AS_IS) != AS_IS})

    def __bool__(self) -> bool:
        return bool(self.multipliers)

    def times(self, group: str) -> float:
        """The multiplier of a group."""
        return self.multipliers.get(group, AS_IS)

    def times_head(self, head: str) -> float:
        """The multiplier of a predicted action."""
        return self.times(_GROUP_OF[head])

    @property
    def strangers(self) -> float:
        """What posts by people the viewer does not follow are multiplied by."""
        return max(self.times(STRANGERS), LAST)

    @property
    def all(self) -> dict[str, float]:
        """Every group's multiplier, in order."""
        return {group.name: self.times(group.name) for group in GROUPS}

    @property
    def words(self) -> str:
        """What differs from the site, such as "Likes times 0.5, Reading times 2"."""
        return ", ".join(f"{BY_NAME[name].label} times {value:g}" for name, value in self.multipliers.items())


def effective(weights: Mapping[str, float], tuning: Tuning) -> Mapping[str, float]:
    """The weights that count: each times its group's multiplier. Without a tuning the very same object."""
    if not tuning:
        return weights
    return {head: weight * tuning.times_head(head) for head, weight in weights.items()}


def problem(name: str, value: Any) -> str:
    """Why this multiplier cannot be used; empty when it can."""
    group = BY_NAME.get(name)
    if group is None:
        return f"There is nothing called {str(name)[:40]!r} to tune."
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in group.steps:
        return f"{group.label} can be {', '.join(f'{step:g}' for step in group.steps)}."
    return ""
