"""Drops posts with video for viewers who want none."""

import numpy as np

from feed.candidate_pipeline import Batch, Filter
from feed.home_mixer.query import ScoredPostsQuery


class VideoFilter(Filter):
    """Drops posts with video for viewers who want none."""

    reads = ("video_ms",)

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when asked."""
        return query.exclude_videos

    def keep(self, query: ScoredPostsQuery, batch: Batch) -> np.ndarray:
        """A mask over the rows."""
        return np.isnan(batch["video_ms"])
