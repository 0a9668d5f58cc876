"""One post of one page, explained from the page's receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feed.receipts import story, words
from feed.types import Explanation
from xsocial.kernel.errors import NotFound


def explain(receipt: Mapping[str, Any], post_id: int) -> Explanation:
    """The explanation of one served post. Raises NotFound when it was not on that page."""
    wanted = str(post_id)
    for item in receipt["items"]:
        about = item.get("receipt") or {}
        if item["kind"] == "post" and wanted in (item["post_id"], about.get("repost_of_id")):
            return _explanation(receipt, item)
    raise NotFound("This post was not on that page.")


def _explanation(receipt: Mapping[str, Any], item: Mapping[str, Any]) -> Explanation:
    table = words.contributions(receipt, item)
    by_size = sorted(table, key=lambda part: -abs(part.added))
    return Explanation(
        request_id=int(receipt["request_id"]),
        post_id=int(item["receipt"]["repost_of_id"] or item["post_id"]),
        summary=words.summary(receipt, item, table),
        added=tuple(part for part in by_size if part.added > 0),
        taken=tuple(part for part in by_size if part.added < 0),
        path=tuple(words.path(receipt, item)),
        story=story.tell(receipt, item, table),
        table=tuple(table),
        receipt=item,
    )
