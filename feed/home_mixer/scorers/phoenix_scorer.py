"""How the viewer would probably act on each candidate."""

import numpy as np

from feed.candidate_pipeline import Batch, Hydrated, Scorer
from feed.home_mixer import model_choice
from feed.home_mixer.arrays import among
from feed.home_mixer.candidate import YES, original_authors, original_ids
from feed.home_mixer.params import HEADS
from feed.home_mixer.query import ScoredPostsQuery
from posts.types import Surface
from ranking import services as ranking
from ranking.types import CandidateColumns, Scores
from xsocial.kernel import ids
from xsocial.kernel.errors import Unavailable


class PhoenixScorer(Scorer):
    """Predictions are made for the original post, so a repost is judged as what it reposts."""

    reads = (
        "post_id",
        "author_id",
        "repost_of_id",
        "repost_of_user_id",
        "is_reply",
        "has_media",
        "video_ms",
        "is_quote",
        "quoted_video_ms",
        "favorites",
        "replies",
        "reposts",
        "quotes",
        "views",
    )
    writes = ("heads", "raw_heads", "prediction_id", "scored_at_ms", "model", "recent")

    def __init__(self, version: str = "", arithmetic: str = "") -> None:
        """``version`` names a model to be used in place of the promoted one, and what it computes in."""
        self.version, self.arithmetic = version, arithmetic

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Replayed candidates keep the predictions they came with."""
        return not query.has_cached_posts

    def score(self, query: ScoredPostsQuery, batch: Batch) -> Hydrated:
        """One call to the ranker. Raises Unavailable without sequence or model."""
        if query.scoring_sequence is None:
            raise Unavailable("The viewer's actions could not be read.")
        known = "recent" in batch  # a replayed load brings the counts of its own time
        recent = batch["recent"] if known else ranking.recent_engagements(original_ids(batch), query.now_ms)
        answer = ranking.score(
            user_id=query.user_id,
            sequence=query.scoring_sequence,
            candidates=candidate_columns(query, batch, recent),
            now_ms=query.now_ms,
            taste=query.taste,
            version=self.version or model_choice.ranker(query),
            arithmetic=self.arithmetic,
        )
        return Hydrated(
            {
                "heads": heads_matrix(answer, answer.probabilities),
                "raw_heads": heads_matrix(answer, answer.raw_probabilities),
                "prediction_id": np.full(batch.n, query.prediction_id),
                "scored_at_ms": np.full(batch.n, query.now_ms),
                "model": np.full(batch.n, answer.model, dtype=object),
                "recent": recent,
            }
        )


def candidate_columns(query: ScoredPostsQuery, batch: Batch, recent: np.ndarray | None = None) -> CandidateColumns:
    """The batch as the ranker reads it; what is missing counts as nothing.

    Without ``recent`` (engagements of the last hour) the ranker counts them itself.
    """
    originals, authors = original_ids(batch), original_authors(batch)
    surface = Surface.HOME_FOLLOWING if query.in_network_only else Surface.HOME_FOR_YOU
    return CandidateColumns(
        post_ids=originals,
        author_ids=authors,
        created_ms=ids.timestamp_ms(originals),
        surface=int(surface),
        favorites=_whole(batch["favorites"]),
        replies=_whole(batch["replies"]),
        reposts=_whole(batch["reposts"]),
        quotes=_whole(batch["quotes"]),
        views=_whole(batch["views"]),
        recent_engagements=recent,
        is_author_followed=among(authors, np.append(query.followed_user_ids, query.user_id)),
        is_reply=batch["is_reply"] == YES,
        has_media=batch["has_media"] == YES,
        video_duration_ms=_whole(batch["video_ms"]),
        is_quote=batch["is_quote"] == YES,
        quoted_video_ms=_whole(batch["quoted_video_ms"]),
    )


def heads_matrix(answer: Scores, probabilities: np.ndarray) -> np.ndarray:
    """Predictions in the order of our heads; a head the model lacks is missing."""
    columns = {
        **{name: probabilities[:, place] for place, name in enumerate(answer.heads)},
        **{name: answer.continuous[:, place] for place, name in enumerate(answer.continuous_names)},
    }
    matrix = np.full((len(probabilities), len(HEADS)), np.nan)
    for place, head in enumerate(HEADS):
        if head in columns:
            matrix[:, place] = columns[head]
    matrix[~np.isfinite(matrix)] = np.nan  # a number that is none counts as no prediction
    return matrix


def _whole(column: np.ndarray) -> np.ndarray:
    return np.nan_to_num(column, nan=0.0).astype(np.int64)
