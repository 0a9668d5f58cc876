"""Posts and ads woven together, and everything else pinned where it belongs."""

import numpy as np

from ads.blending import blend
from feed.candidate_pipeline import Batch, Selection, Selector
from feed.home_mixer import feed_item
from feed.home_mixer.query import ScoredPostsQuery


class BlenderSelector(Selector):
    """Order: push-to-home, prompts, then posts and ads with one module among them."""

    reads = ("kind", "item")
    writes = ("position",)

    def select(self, query: ScoredPostsQuery, batch: Batch) -> Selection:
        """Row numbers in page order; what blending left out is the rest."""
        rows = {kind: np.flatnonzero(batch["kind"] == kind).tolist() for kind in set(batch["kind"])}
        page = self._blended(query, batch, rows)
        positions = dict(zip(page, range(1, len(page) + 1), strict=True))
        prompts = rows.get(feed_item.PROMPT, [])
        page[:0] = prompts
        for row in rows.get(feed_item.WHO_TO_FOLLOW, [])[:1]:
            page.insert(min(query.params.who_to_follow_position - 1, len(page)), row)
            positions[row] = query.params.who_to_follow_position
        page[:0] = rows.get(feed_item.PUSH_TO_HOME, [])[-1:]
        rest = np.setdiff1d(np.arange(batch.n), page)
        return Selection(
            np.array(page, np.int64), rest, {"position": np.array([positions.get(row, 0) for row in page], np.int64)}
        )

    def _blended(self, query: ScoredPostsQuery, batch: Batch, rows: dict[str, list[int]]) -> list[int]:
        posts, ads = rows.get(feed_item.POST, []), rows.get(feed_item.AD, [])
        items = batch["item"]
        result = blend([items[row] for row in posts], [items[row] for row in ads], blender=query.params.ads_blender)
        query.memo.put("blend", result)
        row_of = {id(items[row]): row for row in posts + ads}
        return [row_of[id(placed.ad if placed.is_ad else placed.post)] for placed in result.items]
