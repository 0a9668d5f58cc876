"""PartitionOrganic: every ad gets a pair of safe posts of its own; all other posts fill between.

Upstream twin: `ads/partition_organic_blender.rs`. Organic posts are re-ordered: pairs are taken at even
distances from the safe posts, the filler is ordered by score.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ads.blending.adjacency import AdjacencyCheck, Refusal
from ads.blending.safe_gap import Item, is_avoided
from ads.blending.types import BlendableAd, BlendablePost, Enforcement, Spacing


@dataclass(slots=True)
class _Slots:
    """Ads that found a slot, with their pairs, and what was refused on the way."""

    blocks: list[tuple[BlendablePost, BlendableAd, BlendablePost]] = field(default_factory=list)
    num_strict_ok: int = 0
    refusals: dict[Refusal, int] = field(default_factory=lambda: dict.fromkeys(Refusal, 0))

    def enforcement(self) -> Enforcement:
        return Enforcement(
            bsr_drop=self.refusals[Refusal.RISK],
            bsr_ok=self.num_strict_ok,
            handle_drop=self.refusals[Refusal.HANDLE],
            keyword_drop=self.refusals[Refusal.KEYWORD],
        )


def target_ads(*, num_posts: int, num_safe: int, num_ads: int, spacing: Spacing) -> int:
    """How many ads the page can carry: the ads there are, the spacing, and two safe posts for each."""
    return min(num_ads, (num_posts - 1) // spacing.requested, num_safe // 2)


def split(posts: Sequence[BlendablePost]) -> tuple[list[BlendablePost], list[BlendablePost]]:
    """Posts an ad may touch, and posts it may not, each in order."""
    safe: list[BlendablePost] = []
    risky: list[BlendablePost] = []
    for post in posts:
        (risky if is_avoided(post) else safe).append(post)
    return safe, risky


def partition(
    safe: Sequence[BlendablePost], risky: Sequence[BlendablePost], ads: Sequence[BlendableAd], target: int
) -> tuple[list[Item], int, Enforcement]:
    """Items in order, number of ads placed, enforcement counts. `target` is at least 1."""
    slots = _fill_slots(safe, ads, target)
    paired = {id(post) for above, _, below in slots.blocks for post in (above, below)}
    filler = [post for post in safe if id(post) not in paired] + list(risky)
    filler.sort(key=_score, reverse=True)
    return _emit(slots, filler), len(slots.blocks), slots.enforcement()


def _fill_slots(safe: Sequence[BlendablePost], ads: Sequence[BlendableAd], target: int) -> _Slots:
    """Offer each ad the first free slot. A refused ad is gone; the next ad tries the same slot."""
    slots, check = _Slots(), AdjacencyCheck()
    width = len(safe) // target
    for ad in ads:
        if len(slots.blocks) == target:
            break
        start = len(slots.blocks) * width
        above, below = safe[start], safe[start + 1]
        refusal = check.refusal(ad.control, above, below)
        if ad.control is not None and ad.control.is_strict and refusal is not Refusal.RISK:
            slots.num_strict_ok += 1
        if refusal is None:
            slots.blocks.append((above, ad, below))
        else:
            slots.refusals[refusal] += 1
    return slots


def _score(post: BlendablePost) -> float:
    """Not-a-number sorts as 0, so that the order is total."""
    return 0.0 if math.isnan(post.score) else post.score


def _emit(slots: _Slots, filler: Sequence[BlendablePost]) -> list[Item]:
    """Blocks with filler shared evenly after them; the last blocks take the remainder."""
    num_blocks = len(slots.blocks)
    if num_blocks == 0:
        return list(filler)
    share, remainder = divmod(len(filler), num_blocks)
    items: list[Item] = []
    start = 0
    for index, block in enumerate(slots.blocks):
        end = start + share + (index >= num_blocks - remainder)
        items += [*block, *filler[start:end]]
        start = end
    return items
