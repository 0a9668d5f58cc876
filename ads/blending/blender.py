"""The one entry: a page of posts and a list of ads in, the blended page out."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ads.blending import partition_organic, safe_gap
from ads.blending.safe_gap import Item, is_avoided
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

_ENFORCEMENT_ACTIONS = {
    "bsr_drop": "drop",
    "bsr_ok": "ok",
    "handle_drop": "handle_drop",
    "keyword_drop": "keyword_drop",
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
    num_safe = sum(not is_avoided(post) for post in posts)
    target = partition_organic.target_ads(num_posts=len(posts), num_safe=num_safe, num_ads=len(ads), spacing=spacing)
    if target == 0:
        return BlendResult(items=_numbered(posts, ads=()), spacing=spacing, counters=_counters(posts, ads))
    items, num_placed, enforcement = partition_organic.partition(posts, ads, target)
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
        BlendedItem(position, ad=item) if id(item) in ad_identities else BlendedItem(position, post=item)
        for position, item in enumerate(items)
    )


def _counters(
    posts: Sequence[BlendablePost], ads: Sequence[BlendableAd], enforcement: Enforcement | None = None
) -> dict[str, int]:
    """Verdicts and risk levels of the input, and enforcement actions that happened at least once."""
    counts = Counter(f"post_brand_safety_verdict.{_verdict_name(post.verdict)}" for post in posts)
    counts.update(f"ad_brand_safety_risk.{_risk_name(ad)}" for ad in ads)
    if enforcement is not None:
        counts.update(
            {
                f"enforcement.{action}": getattr(enforcement, name)
                for name, action in _ENFORCEMENT_ACTIONS.items()
                if getattr(enforcement, name)
            }
        )
    return dict(counts)


def _verdict_name(verdict: Verdict | None) -> str:
    return (Verdict.MEDIUM_RISK if verdict is None else Verdict(verdict)).name.lower()


def _risk_name(ad: BlendableAd) -> str:
    return str(ad.control.risk if ad.control else AdjacencyRisk.UNKNOWN)
