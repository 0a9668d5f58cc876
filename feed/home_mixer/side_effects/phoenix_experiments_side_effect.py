"""Shadow traffic: what models that wait for promotion would have predicted for a page."""

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import post_info, records
from feed.home_mixer.params import HEADS
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.scorers.phoenix_scorer import candidate_columns, heads_matrix
from ranking import services as ranking
from xsocial.kernel import metrics
from xsocial.kernel.errors import NotFound, Unavailable

LOGGED = tuple(head for head in HEADS if head != "click_dwell_time")


class PhoenixExperimentsSideEffect(SideEffect):
    """A record per served post with every waiting model's predictions; a model that fails is left out."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """A small fixed share of requests."""
        return query.is_shadow_traffic

    def run(self, result: Result) -> None:
        """One ranking call per waiting model; nothing without the viewer's sequence."""
        query, selected = result.query, result.selected
        if query.scoring_sequence is None or not selected.n:
            return
        columns = candidate_columns(query, selected)
        scores: list[dict[str, float]] = [{} for _ in range(selected.n)]
        for name in ranking.shadow_models():
            try:
                answer = ranking.score(
                    user_id=query.user_id,
                    sequence=query.scoring_sequence,
                    candidates=columns,
                    now_ms=query.now_ms,
                    taste=query.taste,
                    version=name,
                )
            except (NotFound, Unavailable):
                metrics.counter("feed_shadow_failures", "Shadow predictions that failed").inc()
                continue
            for row, predicted in zip(scores, heads_matrix(answer, answer.probabilities), strict=True):
                named = post_info.heads(predicted)
                row.update({f"phoenix.{name}.{head}": named[head] for head in LOGGED})
        about = {"viewer_id": query.user_id, "request_id": query.request_id, "at_ms": query.now_ms}
        posts = post_info.posts(query, selected)
        records.append(
            records.EXPERIMENTS,
            [{**about, **post, "scores": row} for post, row in zip(posts, scores, strict=True)],
        )
