"""A sample of rankings with every prediction, to learn rerankers from. Upstream's goes to Kafka."""

import numpy as np

from feed.candidate_pipeline import Batch, Result, SideEffect
from feed.home_mixer import post_info, records
from feed.home_mixer.candidate import YES, original_ids
from feed.home_mixer.query import ScoredPostsQuery, fraction

TOP = 50
UNLOGGED = ("not_dwelled", "click_dwell_time")


class RerankingKafkaSideEffect(SideEffect):
    """The best fifty by score, served or not, of one request in twenty."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """A fixed share of requests."""
        return fraction(query.request_id, "reranking") < query.params.reranking_log_share

    def run(self, result: Result) -> None:
        """One record."""
        query = result.query
        pool = Batch.concat(result.selected.schema, (result.selected, result.non_selected))
        if not pool.n:
            return
        order = np.argsort(-np.nan_to_num(pool["score"], nan=-np.inf), kind="stable")
        best = pool.take(order[:TOP])
        prediction_ids = pool["prediction_id"][pool["prediction_id"] > 0]
        prediction_id = int(prediction_ids[0]) if len(prediction_ids) else 0
        record = {
            "viewer_id": query.user_id,
            "at_ms": query.now_ms,
            "request_id": query.request_id,
            "prediction_id": prediction_id,
            "served_id": prediction_id,
            "surface": query.surface_label,
            "count": pool.n,
            "posts": _posts(best),
        }
        records.append(records.RERANKING, [record])


def _posts(best: Batch) -> list[dict]:
    originals = original_ids(best).tolist()
    return [
        {
            "position": place,
            "post_id": row["post_id"],
            "original_id": original,
            "author_id": row["author_id"],
            "score": row["score"],
            "weighted_score": row["weighted_score"],
            "base_score": row["base_score"],
            "served_type": row["served_type"],
            "in_network": row["in_network"] == YES,
            "is_cached": row["scored_at_ms"] > 0,
            "pool_rank": row["pool_rank"],
            "author_position": row["author_position"],
            "author_gap": row["author_gap"],
            "semantic_counts": row["semantic_counts"],
            "semantic_gaps": row["semantic_gaps"],
            "semantic_id_known": row["semantic_id"][0] >= 0,
            "heads": post_info.heads(np.array(row["heads"]), without=UNLOGGED),
        }
        for place, (row, original) in enumerate(zip(best.rows(best.schema.columns), originals, strict=True))
    ]
