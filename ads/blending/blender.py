"""The one entry: a page of posts and a list of ads in, the blended page out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

from ads.blending import partition_organic, safe_gap
from ads.blending.safe_gap import Item
from ads.blending.spacing import MIN_POSTS_FOR_ADS, RESULT_SIZE, spacing_of
from ads.blending.types import (
    AdjacencyRisk,
    BlendableAd,
    BlendablePost,
    BlendedItem,
    BlendResult,
    Enforcement,
    Spacing,
    Verdict,
)

SAFE_GAP = "safe_gap"
PARTITION_ORGANIC = "partition_organic"

NOTHING_ENFORCED = Enforcement()

_VERDICT_COUNTERS: dict[Verdict | None, str] = {
    verdict: f"post_brand_safety_verdict.{verdict.name.lower()}" for verdict in Verdict
}
_VERDICT_COUNTERS[None] = _VERDICT_COUNTERS[Verdict.MEDIUM_RISK]
_RISK_COUNTERS = {risk: f"ad_brand_safety_risk.{risk}" for risk in AdjacencyRisk}
_ENFORCEMENT_COUNTERS = {
    "bsr_drop": "enforcement.drop",
    "bsr_ok": "enforcement.ok",
    "handle_drop": "enforcement.handle_drop",
    "keyword_drop": "enforcement.keyword_drop",
}


def blend(
    posts: Sequence[BlendablePost],
    ads: Sequence[BlendableAd],
    *,
    blender: str = PARTITION_ORGANIC,
    result_size: int = RESULT_SIZE,
) -> BlendResult:
    """Put `ads` among `posts`. Every `blender` other than `safe_gap` means PartitionOrganic, as upstream.

    Without ads, or with fewer than five posts, the posts come back as they are and uncut. Otherwise the
    page is cut to `result_size` items and never ends with an ad. Scores are 32-bit floats.
    """
    spacing = spacing_of(ads)
    if not ads or len(posts) < MIN_POSTS_FOR_ADS:
        return BlendResult(items=_numbered(posts, ads=()), spacing=spacing, counters=_counters(posts, ads))
    blend_with = _safe_gap if blender == SAFE_GAP else _partition_organic
    return blend_with(posts, ads, spacing, result_size)


def _safe_gap(
    posts: Sequence[BlendablePost], ads: Sequence[BlendableAd], spacing: Spacing, result_size: int
) -> BlendResult:
    gaps = safe_gap.choose_gaps(safe_gap.safe_gaps(posts), ads, spacing)
    items = _finished(safe_gap.interleave(posts, ads, gaps), ads, result_size)
    return BlendResult(items=items, spacing=spacing, gaps=tuple(gaps), counters=_counters(posts, ads))


def _partition_organic(
    posts: Sequence[BlendablePost], ads: Sequence[BlendableAd], spacing: Spacing, result_size: int
) -> BlendResult:
    safe, risky = partition_organic.split(posts)
    target = partition_organic.target_ads(num_posts=len(posts), num_safe=len(safe), num_ads=len(ads), spacing=spacing)
    if target == 0:
        return BlendResult(items=_numbered(posts, ads=()), spacing=spacing, counters=_counters(posts, ads))
    items, num_placed, enforcement = partition_organic.partition(safe, risky, ads, target)
    # When every ad was refused the page is not cut either: it is all posts, in order of score.
    finished = _finished(items, ads, result_size) if num_placed else _numbered(items, ads=())
    return BlendResult(
        items=finished,
        spacing=spacing,
        target=target,
        enforcement=enforcement,
        counters=_counters(posts, ads, enforcement),
    )


def _finished(items: list[Item], ads: Sequence[BlendableAd], result_size: int) -> tuple[BlendedItem, ...]:
    """Cut to size, then take away a trailing ad: a page never ends with one."""
    page = _numbered(items[:result_size], ads=ads)
    return page[:-1] if page and page[-1].is_ad else page


def _numbered(items: Iterable[Item], *, ads: Sequence[BlendableAd]) -> tuple[BlendedItem, ...]:
    """Items with positions from 0. Ads are told from posts by identity, since both are foreign objects."""
    ad_identities = {id(ad) for ad in ads}
    return tuple(
        BlendedItem(position, ad=cast(BlendableAd, item))
        if id(item) in ad_identities
        else BlendedItem(position, post=cast(BlendablePost, item))
        for position, item in enumerate(items)
    )


def _counters(
    posts: Sequence[BlendablePost], ads: Sequence[BlendableAd], enforcement: Enforcement = NOTHING_ENFORCED
) -> dict[str, int]:
    """Verdicts and risk levels of the input, and enforcement actions that happened at least once."""
    counts = Counter([_VERDICT_COUNTERS[post.verdict] for post in posts])
    counts.update([_RISK_COUNTERS[ad.control.risk if ad.control else AdjacencyRisk.UNKNOWN] for ad in ads])
    if enforcement is not NOTHING_ENFORCED:
        actions = {counter: getattr(enforcement, name) for name, counter in _ENFORCEMENT_COUNTERS.items()}
        counts.update({counter: count for counter, count in actions.items() if count})
    return dict(counts)
