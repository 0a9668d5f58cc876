"""SafeGap: organic order is kept and each ad takes the safe gap nearest to where it wants to be.

Upstream twin: `ads/safe_gap_blender.rs`. Like it, this blender looks at the posts' verdicts only; risk
levels, handles and keywords of the ads are PartitionOrganic's business.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import zip_longest

from ads.blending.spacing import DEFAULT_SPACING
from ads.blending.types import BlendableAd, BlendablePost, Spacing, Verdict

Item = BlendablePost | BlendableAd


def is_avoided(post: BlendablePost) -> bool:
    """No ad may touch this post. A post whose verdict is missing is treated as medium risk."""
    return post.verdict is None or post.verdict == Verdict.MEDIUM_RISK


def safe_gaps(posts: Sequence[BlendablePost]) -> list[int]:
    """Gaps, ascending, with no avoided post on either side; gap g lies between posts g-1 and g."""
    avoided = [is_avoided(post) for post in posts]
    return [gap for gap in range(1, len(posts)) if not (avoided[gap - 1] or avoided[gap])]


def choose_gaps(gaps: Sequence[int], ads: Sequence[BlendableAd], spacing: Spacing) -> list[int]:
    """One gap per ad, ascending, until no gap is far enough from the last.

    The ideal advances by the requested spacing from the previous *ideal*, not from where that ad landed,
    so one displaced ad does not push all later ones.
    """
    chosen: list[int] = []
    ideal, floor = max(ads[0].insert_position, 0), 1
    for _ in ads:
        first = bisect_left(gaps, floor)
        if first == len(gaps):
            break
        gap = _nearest(gaps, ideal, first)
        chosen.append(gap)
        floor = max(ideal + spacing.min, gap + DEFAULT_SPACING.min)
        ideal += spacing.requested
    return chosen


def interleave(posts: Sequence[BlendablePost], ads: Sequence[BlendableAd], gaps: Sequence[int]) -> list[Item]:
    """Ad k directly above the post that follows gap k; ads without a gap are left out."""
    starts = [0, *gaps]
    items: list[Item] = []
    for start, end, ad in zip_longest(starts, gaps, ads[: len(gaps)]):
        items += posts[start:end]
        if ad is not None:
            items.append(ad)
    return items


def _nearest(gaps: Sequence[int], ideal: int, first: int) -> int:
    """The gap nearest to `ideal` from index `first` on; of two equally near, the earlier."""
    after = bisect_left(gaps, ideal, lo=first)
    if after == first:
        return gaps[first]
    if after == len(gaps):
        return gaps[-1]
    return gaps[after] if gaps[after] - ideal < ideal - gaps[after - 1] else gaps[after - 1]
