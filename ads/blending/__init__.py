"""Blending of ads into a page of posts. Takes values and gives values; imports no framework.

Upstream twin: `home-mixer/ads/`.
"""

from ads.blending.blender import PARTITION_ORGANIC, SAFE_GAP, blend
from ads.blending.types import (
    AdjacencyControl,
    AdjacencyRisk,
    BlendedItem,
    BlendResult,
    Enforcement,
    OrganicPost,
    PlacedAd,
    Spacing,
    Verdict,
)

__all__ = [
    "PARTITION_ORGANIC",
    "SAFE_GAP",
    "AdjacencyControl",
    "AdjacencyRisk",
    "BlendResult",
    "BlendedItem",
    "Enforcement",
    "OrganicPost",
    "PlacedAd",
    "Spacing",
    "Verdict",
    "blend",
]
