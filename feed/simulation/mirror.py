"""The database's copy of a world that goes on: after each hour, what happened in it is written.

Everything that pages and training read is kept; pictures, notifications and the counters on
profiles are not.
"""

from collections.abc import Mapping

import numpy as np
from django.db import connection, transaction

from accounts.models import Block, Follow, Mute
from feed.simulation import load_actions, load_posts
from feed.simulation.bulk import copy_rows
from feed.simulation.history import History
from feed.simulation.load import Load, screen, write
from feed.simulation.record import Recorded
from feed.simulation.society import RELATIONS
from posts.models import PostCounts

LEFT_OUT = ("media", "notifications")
ADD_COUNTS = """
UPDATE posts_postcounts c SET {sums} FROM unnest({arrays}) AS new(post_id, {names}) WHERE c.post_id = new.post_id
"""


class Mirror:
    """Writes what a history records, part by part."""

    def __init__(self, load: Load, history: History) -> None:
        self.load, self.history = load, history
        self._row_of: dict[int, int] = {}

    def begin(self) -> None:
        """Write the world as it is so far, and screen its posts."""
        write(self.load, without=LEFT_OUT)
        self._learn_rows()
        screen()

    def rows_of(self, post_ids: list[int]) -> np.ndarray:
        """Row numbers of posts."""
        return np.array([self._row_of[post_id] for post_id in post_ids], dtype=np.int64)

    def catch_up(self, requests: Mapping[int, int] | None = None) -> None:
        """Write what was recorded since the last time; `requests` are known request ids by page."""
        recorded = self.load.world.recorded = self.history.recorder.taken()
        with transaction.atomic():
            rows = load_posts.posts(self.load)
            load_posts.topics(self.load, rows)
            copy_rows(PostCounts, len(rows), post_id=self.load.post_ids[rows])
            self._actions(recorded, requests or {})
            self._relations(recorded)
        self._learn_rows()
        screen()

    def _learn_rows(self) -> None:
        known = len(self._row_of)
        self._row_of.update(
            zip(self.load.post_ids[known:].tolist(), range(known, len(self.load.post_ids)), strict=True)
        )

    def _actions(self, recorded: Recorded, requests: Mapping[int, int]) -> None:
        if recorded.impressions:
            self.load.number_pages()
            for page, request_id in requests.items():
                self.load.page_ids[page] = request_id
            load_actions.impressions(self.load)
        if recorded.engagements:
            load_actions.engagements(self.load)
        if recorded.impressions and recorded.engagements:
            self._count(load_posts.counted(recorded, len(self.load.post_ids)))

    def _count(self, counted: dict[str, np.ndarray]) -> None:
        changed = np.flatnonzero(sum(counted.values()))
        statement = ADD_COUNTS.format(
            names=", ".join(counted),
            sums=", ".join(f"{name} = c.{name} + new.{name}" for name in counted),
            arrays=", ".join(["%s::bigint[]"] * (1 + len(counted))),
        )
        columns = [self.load.post_ids[changed], *(values[changed] for values in counted.values())]
        with connection.cursor() as cursor:
            cursor.execute(statement, [column.tolist() for column in columns])

    def _relations(self, recorded: Recorded) -> None:
        """Follows, unfollows, blocks (which end follows both ways) and mutes."""
        if not recorded.relations:
            return
        code = recorded.relations["code"]
        ends = [self.load.user_ids[recorded.relations[name]] for name in ("first", "second")]
        pairs = {
            name: np.stack([end[code == place] for end in ends], axis=1).tolist()
            for place, name in enumerate(RELATIONS)
        }
        Follow.objects.bulk_create(
            [Follow(follower_id=a, followee_id=b) for a, b in pairs["follow"]], ignore_conflicts=True
        )
        Block.objects.bulk_create([Block(blocker_id=a, blocked_id=b) for a, b in pairs["block"]], ignore_conflicts=True)
        Mute.objects.bulk_create([Mute(muter_id=a, muted_id=b) for a, b in pairs["mute"]], ignore_conflicts=True)
        torn = pairs["unfollow"] + pairs["block"] + [[b, a] for a, b in pairs["block"]]
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM accounts_follow WHERE follower_id = %s AND followee_id = %s", torn)
