"""How far apart the ads want to stand, read from their insert positions. Upstream twin: `ads/util.rs`."""

from collections.abc import Sequence
from itertools import pairwise

from ads.blending.types import BlendableAd, Spacing

MIN_POSTS_FOR_ADS = 5
MIN_REQUESTED_GAP = 3
DEFAULT_SPACING = Spacing(requested=3, min=2)
RESULT_SIZE = 35
ADS_READ_FOR_SPACING = 4


def spacing_of(ads: Sequence[BlendableAd]) -> Spacing:
    """The smallest difference between the first four positions, if it is wide enough."""
    positions = sorted(ad.insert_position for ad in ads[:ADS_READ_FOR_SPACING])
    gaps = [below - above for above, below in pairwise(positions) if below != above]
    if not gaps or min(gaps) < MIN_REQUESTED_GAP:
        return DEFAULT_SPACING
    requested = min(gaps)
    return Spacing(requested=requested, min=-(-requested // 2))
