"""How safe each selected post is to stand beside an ad."""

from typing import Any

from ads.brand_safety import verdicts
from feed.candidate_pipeline import Batch, Hydrator
from feed.home_mixer.candidate import original_ids
from feed.home_mixer.query import ScoredPostsQuery
from moderation import selectors as moderation


class AdsBrandSafetyCandidateHydrator(Hydrator):
    """The feed reads labels from moderation and asks ads what they mean; the two never meet.

    A post without verdict counts as medium risk, so without this hydrator no ad is placed.
    """

    reads = ("post_id", "repost_of_id", "quote_of_id")
    writes = ("brand_safety", "safety_labels")

    def hydrate(self, query: ScoredPostsQuery, batch: Batch) -> dict[str, Any]:
        """One query for labels."""
        pairs = list(zip(original_ids(batch).tolist(), (q or None for q in batch["quote_of_id"].tolist()), strict=True))
        labels = moderation.labels_for({post_id for pair in pairs for post_id in pair if post_id})
        return {
            "brand_safety": verdicts(pairs, labels),
            "safety_labels": [tuple(sorted(labels[original])) for original, _ in pairs],
        }
