"""What the ranker was asked, kept a few hours, so that what people then do can be joined to it."""

import orjson

from feed.candidate_pipeline import Result, SideEffect
from feed.home_mixer import post_info
from feed.home_mixer.query import ScoredPostsQuery
from xsocial.kernel import redis
from xsocial.kernel.errors import Unavailable

TOLERATED = 0.1


class PhoenixRequestCacheSideEffect(SideEffect):
    """The request without history and candidates, and each served post as the model saw it."""

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter."""
        return query.params.enable_request_cache

    def run(self, result: Result) -> None:
        """One round trip. Raises Unavailable when more than a tenth of the writes fail."""
        query, selected = result.query, result.selected
        values: dict[str, dict] = {}
        for prediction_id, post in zip(
            selected["prediction_id"].tolist(), post_info.posts(query, selected), strict=True
        ):
            if prediction_id:
                values[key(prediction_id, post["post_id"])] = post
        if not values:
            return
        if not query.has_cached_posts:
            about = {"request_id": query.request_id, "at_ms": query.now_ms, "surface": query.surface_label}
            values[key(query.prediction_id)] = {**about, **post_info.viewer(query)}
        with redis.client("cache").pipeline(transaction=False) as pipe:
            for name, value in values.items():
                pipe.set(name, orjson.dumps(value), ex=query.params.request_cache_ttl_s)
            answers = pipe.execute(raise_on_error=False)
        failed = sum(isinstance(answer, Exception) for answer in answers)
        if failed > TOLERATED * len(values):
            raise Unavailable("Model inputs could not be kept.", extra={"failed": failed, "of": len(values)})


def key(prediction_id: int, post_id: int | None = None) -> str:
    """Where the request, or one of its posts, is kept."""
    return f"phoenix_request_cache_{prediction_id}" + (f"_{post_id}" if post_id is not None else "")
