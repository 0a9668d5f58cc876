"""Writes a generated world into PostgreSQL, and its pictures into the media storage.

Every id is a snowflake of the moment the thing happened, so that age can be read from it.
Counters are sums over the rows written here, hence exact.
"""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction

from accounts.models import Topic
from feed.simulation import load_actions, load_people, load_posts, text
from feed.simulation.authoring import DAY
from feed.simulation.bulk import bare_tables, snowflakes
from feed.simulation.world import World
from moderation.services import PLAN, bulk_screen
from posts.models import Post
from xsocial.kernel import clock

MAX_SCREENED = 60_000


@dataclass
class Load:
    """One world on its way into the database: the ids of what it holds, for all the parts.

    A world that goes on is written again and again: each time what was recorded since.
    """

    world: World
    seed: int
    topics: list[Topic] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    post_ids: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    page_ids: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    impression_ids: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    num_impressions: int = 0
    num_engagements: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.rng = np.random.default_rng(self.seed + 1)

    @cached_property
    def joined_ms(self) -> np.ndarray:
        return self.days_ms(self.world.people.joined_day)

    @cached_property
    def user_ids(self) -> np.ndarray:
        return snowflakes(self.joined_ms)

    @cached_property
    def writer(self) -> text.Writer:
        return text.Writer(self.world.posts, self.world.people, self.handles, self.seed)

    @cached_property
    def handles(self) -> list[str]:
        return text.handles(self.seed, len(self.world.people))

    def days_ms(self, days: np.ndarray) -> np.ndarray:
        """Days relative to now as milliseconds since 1970."""
        return self.world.now_ms + np.round(days * DAY * 1000).astype(np.int64)

    def number_posts(self) -> np.ndarray:
        """Give ids to the posts that have none yet; returns their rows."""
        rows = np.arange(len(self.post_ids), len(self.world.posts))
        moments = self.world.milliseconds(self.world.posts.seconds[rows])
        self.post_ids = np.append(self.post_ids, snowflakes(moments, first=len(self.post_ids)))
        return rows

    def number_pages(self) -> None:
        """Give ids to the pages that have none yet: of the moment of the first impression."""
        made, known = self.world.recorded.impressions, len(self.page_ids)
        new = made["page"] >= known
        opened = np.full(int(made["page"].max(initial=known - 1)) + 1 - known, np.inf)
        np.minimum.at(opened, made["page"][new] - known, made["seconds"][new])
        moments = self.world.milliseconds(np.where(np.isfinite(opened), opened, 0.0))
        self.page_ids = np.append(self.page_ids, snowflakes(moments, first=known))

    def optional_posts(self, rows: np.ndarray) -> np.ma.MaskedArray:
        """Ids of posts by row number; none where it is negative."""
        return np.ma.masked_array(self.post_ids[rows], mask=rows < 0)

    def saved(self, name: str, data: bytes) -> str:
        """Store a file under exactly this name, keeping one that is there."""
        return name if default_storage.exists(name) else default_storage.save(name, ContentFile(data))


#: All parts in the order in which each finds what it points at.
PARTS: tuple[tuple[str, Callable[[Load], object]], ...] = (
    ("people", load_people.people),
    ("graph", load_people.graph),
    ("interests", load_people.interests),
    ("posts", load_posts.posts),
    ("media", load_posts.media),
    ("tags and topics", load_posts.tagging),
    ("impressions", load_actions.impressions),
    ("engagements", load_actions.engagements),
    ("counters", load_posts.counters),
    ("notifications", load_actions.notifications),
)
TABLES = (*load_people.TABLES, *load_posts.TABLES, *load_actions.TABLES)
#: What `progress` hears: each part, then the building of indexes.
STEPS = len(PARTS) + 1


def write(load: Load, progress: Callable[[str], None] = lambda part: None, *, without: Collection[str] = ()) -> None:
    """Write everything in one transaction: a failed seeding leaves nothing behind."""
    with transaction.atomic(), clock.fixed(clock.from_ms(load.world.now_ms)), bare_tables(*TABLES):
        for name, part in PARTS:
            progress(name)
            if name not in without:
                part(load)
        progress("indexes")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def unscreened() -> models.QuerySet[Post]:
    """Posts that say something and that nobody has judged yet, whether they have an embedding or not."""
    return Post.objects.filter(repost_of=None, deleted_at=None).exclude(text="").exclude(annotations__plan=PLAN)


def screen(limit: int = MAX_SCREENED, *, progress: Callable[[int], object] = lambda count: None) -> int:
    """Embed and label the newest unscreened posts, as Grox would have done one by one; returns how many.

    The limit bounds time and memory of large worlds; what is left waits for Grox's own sweep.
    `progress` hears how many more posts were judged.
    """
    rows = list(unscreened().order_by("-id").values_list("id", "text")[:limit])
    if rows:
        post_ids, texts = zip(*rows, strict=True)
        bulk_screen(post_ids, texts, progress=progress)
    return len(rows)
