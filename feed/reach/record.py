"""What one load did with authors' posts, packed beside its receipt, so that counting a day reads nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from feed.receipts import codec
from feed.receipts.fates import Fates
from feed.receipts.tape import Tape


@dataclass(frozen=True, slots=True)
class Reached:
    """Columns. A row of the first five is an author's posts that met one fate, those of reposts with the
    author reposted; the viewer's own posts are left out. A post that was found twice counts once, as the
    candidate that came farthest. Of each post on the page its original is named."""

    author: np.ndarray
    followed: np.ndarray  # by the viewer
    fate: np.ndarray  # index into ``rules``; -1: on the page
    count: np.ndarray
    rules: tuple[tuple[str, str], ...]  # stage and component
    served_post: np.ndarray
    served_author: np.ndarray
    served_followed: np.ndarray
    follows: np.ndarray  # whom the viewer followed
    max_age_ms: int  # posts older than this could not be shown

    def packed(self) -> bytes:
        """As stored."""
        return codec.pack(asdict(self))


def unpacked(body: bytes) -> Reached:
    """The columns again."""
    return Reached(**codec.unpack(body))


def of(tape: Tape, *, viewer_id: int, max_age_ms: int) -> Reached:
    """The columns of a load."""
    columns, fates = tape.columns, tape.fates
    follows = tape.query.get("followed_user_ids", np.empty(0, np.int64))
    blank = np.zeros(len(fates.of), np.int64)
    reposted = columns.get("repost_of_user_id", blank)
    authors = np.where(reposted > 0, reposted, columns.get("author_id", blank))
    originals = np.where(columns.get("repost_of_id", blank) > 0, columns.get("repost_of_id", blank), columns["post_id"])
    theirs = (authors != viewer_id) & (authors != 0) & _farthest(originals, fates)
    followed, fate = np.isin(authors, follows), fates.of.astype(np.int64)
    rows = np.stack([authors, followed.astype(np.int64), fate])[:, theirs]
    kinds, count = np.unique(rows, axis=1, return_counts=True)
    served = theirs & (fate < 0)
    return Reached(
        author=kinds[0],
        followed=kinds[1] == 1,
        fate=kinds[2],
        count=count,
        rules=fates.rules,
        served_post=originals[served],
        served_author=authors[served],
        served_followed=followed[served],
        follows=np.sort(follows),
        max_age_ms=max_age_ms,
    )


def _farthest(originals: np.ndarray, fates: Fates) -> np.ndarray:
    """Of each post's candidates the one that came farthest through the pipeline, in whose order the rules are."""
    by_progress = np.argsort(-np.where(fates.of < 0, len(fates.rules), fates.of), kind="stable")
    _, first = np.unique(originals[by_progress], return_index=True)
    farthest = np.zeros(len(originals), bool)
    farthest[by_progress[first]] = True
    return farthest
