"""Writes a generated world into PostgreSQL with COPY, and its pictures into the media storage.

Every id is a snowflake of the moment the thing happened, so that age can be read from it.
Counters are sums over the rows written here, hence exact.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction

from accounts.models import (
    Block,
    CreatorSubscription,
    Follow,
    FollowedTopic,
    Mute,
    StarterPack,
    StarterPackFollow,
    Topic,
    User,
)
from feed.simulation import graph, pictures, text
from feed.simulation.authoring import CLIP_SECONDS, DAY, PICTURE, VIDEO
from feed.simulation.people import DEMO_PEOPLE
from feed.simulation.topics import LANGUAGES, all_topics, families
from feed.simulation.world import World
from moderation.services import PLAN, bulk_screen
from posts.models import (
    Bookmark,
    Engagement,
    Impression,
    Media,
    Mention,
    Notification,
    Post,
    PostCounts,
    PostTag,
    PostTopic,
    Tag,
)
from posts.models.notification import NotificationKind
from posts.services import text as wording
from posts.types import EngagementKind, MediaKind
from xsocial.kernel import ids

ROWS_PER_WRITE = 20_000
PICTURES_PER_TOPIC = 5
MAX_AVATARS = 1200
MAX_SCREENED = 60_000
HEADERS = 16
NOTIFIED_DAYS = 2.0
COUNTRIES = {
    "en": ("US", "GB", "IE", "AU"),
    "es": ("ES", "MX"),
    "de": ("DE", "AT"),
    "fr": ("FR",),
    "pt": ("BR",),
    "ja": ("JP",),
}
ZONES = {
    -8: "America/Los_Angeles",
    -5: "America/New_York",
    -4: "America/Caracas",
    -3: "America/Sao_Paulo",
    0: "UTC",
    1: "Europe/Madrid",
    5: "Asia/Karachi",
    9: "Asia/Tokyo",
    10: "Australia/Brisbane",
}

Column = Sequence[Any] | np.ndarray


# -- COPY --------------------------------------------------------------------------------------


def snowflakes(milliseconds: np.ndarray) -> np.ndarray:
    """Distinct ids of these moments; several in one millisecond are numbered in the given order."""
    order = np.argsort(milliseconds, kind="stable")
    ordered = milliseconds[order]
    place = np.arange(len(ordered))
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.empty(0, dtype=bool)
    ordinal = place - np.maximum.accumulate(np.where(first, place, 0))
    found = np.empty(len(ordered), dtype=np.int64)
    found[order] = ((ordered - ids.EPOCH_MS) << ids.TIMESTAMP_SHIFT) + ordinal
    return found


def timestamps(milliseconds: np.ndarray) -> list[str]:
    """Moments as PostgreSQL reads them, UTC."""
    moments = np.asarray(milliseconds, dtype=np.int64).astype("datetime64[ms]")
    return [f"{moment}+00" for moment in np.datetime_as_string(moments, unit="ms").tolist()]


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _encoded(values: Column) -> list[str]:
    """One column in COPY's text format; None and nan are NULL."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "f":
            return ["\\N" if value != value else repr(value) for value in np.round(values, 6).tolist()]
        if values.dtype.kind == "b":
            return ["t" if value else "f" for value in values.tolist()]
        return list(map(str, values.tolist()))
    return ["\\N" if value is None else _literal(value) for value in values]


def _literal(value: Any) -> str:
    if value is True or value is False:
        return "t" if value else "f"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)


def _default(field: models.Field, now: str) -> str:
    """What a column not given gets: the model's default."""
    if isinstance(field, models.DateTimeField) and not field.null:
        return now
    value = None if field.null and not field.has_default() else field.get_default()
    return "\\N" if value is None else _literal(value)


def copy_rows(model: type[models.Model], count: int, now: str = "now", **columns: Column) -> None:
    """COPY `count` rows of a model. Columns are named by attname; others take their default."""
    if not count:
        return
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.attname in columns or not isinstance(field, models.AutoField)
    ]
    names = ", ".join(f'"{field.column}"' for field in fields)
    constants = {field.attname: _default(field, now) for field in fields if field.attname not in columns}
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for low in range(0, count, ROWS_PER_WRITE):
            size = min(ROWS_PER_WRITE, count - low)
            parts = [
                _encoded(columns[field.attname][low : low + size])
                if field.attname in columns
                else [constants[field.attname]] * size
                for field in fields
            ]
            copy.write("\n".join(map("\t".join, zip(*parts, strict=True))) + "\n")


# -- the world ---------------------------------------------------------------------------------


class Loader:
    """Writes one world; each method one part. Ids of people and posts are kept for the parts after."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.seed = world, seed
        self.random = random.Random(seed)
        self.rng = np.random.default_rng(seed + 1)
        people, posts = world.people, world.posts
        self.joined_ms = world.now_ms + np.round(people.joined_day * DAY * 1000).astype(np.int64)
        self.user_ids = snowflakes(self.joined_ms)
        self.post_ms = world.milliseconds(posts.seconds)
        self.post_ids = snowflakes(self.post_ms)
        self.now = timestamps(np.array([world.now_ms]))[0]
        self.handles = text.handles(seed, len(people))
        self.topics: list[Topic] = []

    def parts(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """All parts in the order their foreign keys ask for."""
        yield "people", self.people
        yield "graph", self.graph
        yield "posts", self.posts
        yield "media", self.media
        yield "tags and topics", self.tagging
        yield "impressions", self.impressions
        yield "engagements", self.engagements
        yield "counters", self.counters
        yield "notifications", self.notifications

    def run(self, progress: Callable[[str], None] = lambda part: None) -> None:
        """Write everything in one transaction: a failed seeding leaves nothing behind."""
        with transaction.atomic():
            for name, write in self.parts():
                progress(name)
                write()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    # -- people and graph ----------------------------------------------------------------------

    def people(self) -> None:
        people = self.world.people
        n = len(people)
        language = [LANGUAGES[index] for index in people.language]
        avatars = self._avatars(n)
        headers = self._headers()
        special = people.quality > 0.5
        special[people.demo] = True
        copy_rows(
            User,
            n,
            self.now,
            id=self.user_ids,
            username=self.handles,
            display_name=self._display_names(),
            bio=[text.bio(self.random, weights) for weights in people.subtopic_weight],
            password=[make_password(settings.DEMO_PASSWORD)] * n,
            is_active=[True] * n,
            language=language,
            country_code=[self.random.choice(COUNTRIES[code]) for code in language],
            time_zone=[ZONES[int(hours)] for hours in people.hours_from_utc],
            birth_year=[self.random.randrange(1955, 2007) for _ in range(n)],
            avatar=[avatars[index % len(avatars)] for index in range(n)],
            header=[headers[index % len(headers)] if special[index] else "" for index in range(n)],
            is_demo=np.isin(np.arange(n), people.demo),
            date_joined=timestamps(self.joined_ms),
        )

    def _display_names(self) -> list[str]:
        names = [handle.rstrip("0123456789").replace("_", " ").title() for handle in self.handles]
        for index, (_, name, _) in enumerate(DEMO_PEOPLE[: len(names)]):
            names[index] = name
        return names

    def _avatars(self, people: int) -> list[str]:
        count = min(people, MAX_AVATARS)
        return [
            _saved(f"avatars/demo-{self.seed}-{index}.png", pictures.avatar(f"{self.seed}-{index}"))
            for index in range(count)
        ]

    def _headers(self) -> list[str]:
        return [
            _saved(f"headers/demo-{self.seed}-{index}.jpg", pictures.header(index, self.seed))
            for index in range(HEADERS)
        ]

    def graph(self) -> None:
        world = self.world
        source, target = world.society.follows.pairs()
        days = np.maximum(world.people.joined_day[source], world.people.joined_day[target]) * 0.5
        day_of = self._days_of(source, target, days)
        self._edges(Follow, source, target, day_of, "follower_id", "followee_id")
        for model, pairs, code, names in (
            (Block, world.society.blocks, 2, ("blocker_id", "blocked_id")),
            (Mute, world.society.mutes, 3, ("muter_id", "muted_id")),
        ):
            first, second = pairs.pairs()
            self._edges(model, first, second, self._relation_days(code, first, second), *names)
        paid = graph.paid_subscriptions(self.rng, world.people, world.first_follows)
        self._edges(CreatorSubscription, paid.source, paid.target, paid.day, "subscriber_id", "author_id")
        self._topics()
        self._starter_packs()

    def _edges(
        self, model: type[models.Model], first: np.ndarray, second: np.ndarray, day: np.ndarray, *names: str
    ) -> None:
        moment = self.world.now_ms + np.round(day * DAY * 1000).astype(np.int64)
        ends = {names[0]: self.user_ids[first], names[1]: self.user_ids[second]}
        copy_rows(model, len(first), self.now, **ends, created_at=timestamps(moment))

    def _days_of(self, source: np.ndarray, target: np.ndarray, fallback: np.ndarray) -> np.ndarray:
        """Day of each follow: when it was first made, or when reading led to it."""
        n = len(self.world.people)
        known, relations = self.world.first_follows, self.world.recorded.relations
        made = relations["code"] == 0
        keys = np.append(
            known.source * n + known.target, relations["first"][made].astype(np.int64) * n + relations["second"][made]
        )
        days = np.append(known.day, relations["seconds"][made] / DAY - self.world.size.days)
        return _looked_up(keys, days, source * n + target, fallback)

    def _relation_days(self, code: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        n = len(self.world.people)
        relations = self.world.recorded.relations
        made = relations["code"] == code
        keys = relations["first"][made].astype(np.int64) * n + relations["second"][made]
        days = relations["seconds"][made] / DAY - self.world.size.days
        return _looked_up(keys, days, first * n + second, np.full(len(first), -1.0))

    def _topics(self) -> None:
        """Families are super-topics; people follow some of the topics they like best."""
        parents = {name: Topic(slug=name, name=name.title(), position=index) for index, name in enumerate(families())}
        Topic.objects.bulk_create(parents.values())
        self.topics = Topic.objects.bulk_create(
            Topic(slug=topic.slug, name=topic.name, parent=parents[topic.family], position=10 + index)
            for index, topic in enumerate(all_topics())
        )
        people, space = self.world.people, self.world.space
        weight = np.stack(
            [people.subtopic_weight[:, space.topic_of == index].sum(axis=1) for index in range(len(self.topics))],
            axis=1,
        )
        follows = (weight > 0.12) & (self.rng.random(weight.shape) < 0.4)
        follows[people.demo] = weight[people.demo] > 0.1
        user, topic = np.nonzero(follows)
        topic_ids = np.array([topic.pk for topic in self.topics])
        copy_rows(FollowedTopic, len(user), self.now, user_id=self.user_ids[user], topic_id=topic_ids[topic])

    def _starter_packs(self) -> None:
        people, rng = self.world.people, self.rng
        packs = graph.starter_packs(people, self.world.first_follows, self.world.space)
        rows = StarterPack.objects.bulk_create(
            StarterPack(
                slug=f"{all_topics()[topic].slug}-starters",
                name=f"{all_topics()[topic].name}: where to begin",
                description=f"People who write about {all_topics()[topic].name.lower()} often and well.",
                creator_id=int(self.user_ids[members[0]]),
                position=position,
            )
            for position, (topic, members) in enumerate(packs)
        )
        through = StarterPack.members.through
        member = np.concatenate([members for _, members in packs]) if packs else np.empty(0, dtype=np.int64)
        pack_ids = np.repeat([row.pk for row in rows], [len(members) for _, members in packs]).astype(np.int64)
        copy_rows(through, len(member), self.now, starterpack_id=pack_ids, user_id=self.user_ids[member])
        for position, row in enumerate(rows):
            takers = np.flatnonzero(rng.random(len(people)) < 0.01)
            takers = np.union1d(takers, people.demo[position : position + 1])
            copy_rows(
                StarterPackFollow,
                len(takers),
                self.now,
                user_id=self.user_ids[takers],
                pack_id=np.full(len(takers), row.pk),
            )

    # -- posts ---------------------------------------------------------------------------------

    def posts(self) -> None:
        posts = self.world.posts
        writer = text.Writer(posts, self.world.people, self.handles, self.seed)
        self.texts = [writer.text(row) for row in range(len(posts))]
        parent = posts.in_reply_to
        copy_rows(
            Post,
            len(posts),
            self.now,
            id=self.post_ids,
            author_id=self.user_ids[posts.author],
            text=self.texts,
            language=[LANGUAGES[index] for index in posts.language],
            in_reply_to_id=self._optional(parent),
            in_reply_to_user_id=[
                int(self.user_ids[posts.author[row]]) if row >= 0 else None for row in parent.tolist()
            ],
            repost_of_id=self._optional(posts.repost_of),
            quote_of_id=self._optional(posts.quote_of),
            conversation_id=self.post_ids[posts.root],
            has_media=posts.form > 0,
            video_duration_ms=[int(seconds * 1000) if seconds > 0 else None for seconds in posts.clip_seconds.tolist()],
            created_at=timestamps(self.post_ms),
        )

    def _optional(self, rows: np.ndarray) -> list[int | None]:
        return [int(self.post_ids[row]) if row >= 0 else None for row in rows.tolist()]

    def media(self) -> None:
        """Attach one of the topic's drawings, or one of the clips, to each post that shows something."""
        posts = self.world.posts
        stills = [self._stored(pictures.topic_pictures(topic, PICTURES_PER_TOPIC, self.seed)) for topic in all_topics()]
        clips = self._stored([pictures.clip(number, seconds, self.seed) for number, seconds in enumerate(CLIP_SECONDS)])
        shown = np.flatnonzero(posts.form > 0)
        topics = self.world.space.topic_of[posts.subtopic[shown]]
        found = [
            clips[artwork % len(clips)] if form == VIDEO else stills[topic][artwork % PICTURES_PER_TOPIC]
            for artwork, form, topic in zip(
                posts.artwork[shown].tolist(), posts.form[shown].tolist(), topics, strict=True
            )
        ]
        copy_rows(
            Media,
            len(shown),
            self.now,
            id=snowflakes(self.post_ms[shown] - 1),
            owner_id=self.user_ids[posts.author[shown]],
            post_id=self.post_ids[shown],
            kind=[str(MediaKind.IMAGE if form == PICTURE else MediaKind.VIDEO) for form in posts.form[shown].tolist()],
            created_at=timestamps(self.post_ms[shown]),
            **{name: [entry[name] for entry in found] for name in found[0]} if found else {},
        )

    def _stored(self, drawn: list[pictures.Picture]) -> list[dict[str, Any]]:
        return [
            {
                "file": _saved(f"media/demo/{self.seed}-{picture.name}", picture.data),
                "preview": _saved(f"previews/demo/{self.seed}-{picture.name}.jpg", picture.poster)
                if picture.poster
                else "",
                "alt_text": picture.alt_text,
                "width": picture.width,
                "height": picture.height,
                "duration_ms": picture.duration_ms,
                "blurhash": picture.blurhash,
                "content_type": picture.content_type,
            }
            for picture in drawn
        ]

    def tagging(self) -> None:
        posts = self.world.posts
        rows, names = [], []
        for row, words in enumerate(self.texts):
            for tag in wording.hashtags(words) if "#" in words else ():
                rows.append(row)
                names.append(tag)
        tags = {tag.name: tag.pk for tag in Tag.objects.bulk_create(Tag(name=name) for name in sorted(set(names)))}
        copy_rows(PostTag, len(rows), post_id=self.post_ids[rows], tag_id=[tags[name] for name in names])
        parent = posts.in_reply_to
        naming = np.flatnonzero((parent >= 0) & (posts.author != posts.author[parent]))
        naming = naming[["@" in self.texts[row] for row in naming.tolist()]] if len(naming) else naming
        copy_rows(
            Mention, len(naming), post_id=self.post_ids[naming], user_id=self.user_ids[posts.author[parent[naming]]]
        )
        self._post_topics()

    def _post_topics(self) -> None:
        """What a classifier would say: mostly right, now and then silent or mistaken."""
        posts, rng = self.world.posts, self.rng
        rows = np.flatnonzero((posts.repost_of < 0) & (rng.random(len(posts)) < 0.93))
        topic = self.world.space.topic_of[posts.subtopic[rows]]
        topic = np.where(rng.random(len(rows)) < 0.06, rng.integers(0, len(self.topics), len(rows)), topic)
        topic_ids = np.array([topic.pk for topic in self.topics])
        copy_rows(
            PostTopic,
            len(rows),
            post_id=self.post_ids[rows],
            topic_id=topic_ids[topic],
            confidence=np.round(rng.beta(8, 2, len(rows)), 3),
        )

    # -- what people did -----------------------------------------------------------------------

    def _page_ids(self) -> np.ndarray:
        """A request id per page, of the moment of its first impression."""
        made = self.world.recorded.impressions
        opened = np.full(int(made["page"].max()) + 1, np.inf)
        np.minimum.at(opened, made["page"], made["seconds"])
        return snowflakes(self.world.milliseconds(np.where(np.isfinite(opened), opened, 0.0)))

    def impressions(self) -> None:
        made, authors = self.world.recorded.impressions, self.world.posts.author
        self.page_ids = self._page_ids()
        moment = self.world.milliseconds(made["seconds"])
        self.impression_ids = snowflakes(moment)
        copy_rows(
            Impression,
            len(moment),
            id=self.impression_ids,
            user_id=self.user_ids[made["user"]],
            post_id=self.post_ids[made["row"]],
            author_id=self.user_ids[authors[made["row"]]],
            surface=made["surface"],
            position=made["position"],
            request_id=self.page_ids[made["page"]],
            seconds=made["dwell"],
            propensity=made["propensity"],
            created_at=timestamps(moment),
        )

    def engagements(self) -> None:
        done, authors = self.world.recorded.engagements, self.world.posts.author
        moment = self.world.milliseconds(done["seconds"])
        copy_rows(
            Engagement,
            len(moment),
            id=snowflakes(moment),
            user_id=self.user_ids[done["user"]],
            post_id=self.post_ids[done["row"]],
            author_id=self.user_ids[authors[done["row"]]],
            kind=done["kind"],
            surface=done["surface"],
            seconds=done["value"],
            request_id=[int(self.page_ids[page]) if page >= 0 else None for page in done["page"].tolist()],
            made_post_id=self._optional(done["made"]),
            created_at=timestamps(moment),
        )
        kept = done["kind"] == EngagementKind.BOOKMARK
        copy_rows(
            Bookmark,
            int(kept.sum()),
            user_id=self.user_ids[done["user"][kept]],
            post_id=self.post_ids[done["row"][kept]],
            created_at=timestamps(moment[kept]),
        )

    def _count(self, *kinds: EngagementKind) -> np.ndarray:
        done = self.world.recorded.engagements
        rows = done["row"][np.isin(done["kind"], kinds)]
        return np.bincount(rows, minlength=len(self.world.posts))

    def counters(self) -> None:
        kind, total = EngagementKind, len(self.world.posts)
        copy_rows(
            PostCounts,
            total,
            post_id=self.post_ids,
            favorites=self._count(kind.FAVORITE),
            replies=self._count(kind.REPLY),
            reposts=self._count(kind.REPOST),
            quotes=self._count(kind.QUOTE),
            bookmarks=self._count(kind.BOOKMARK),
            shares=self._count(kind.SHARE, kind.SHARE_VIA_DM, kind.SHARE_VIA_COPY_LINK),
            views=np.bincount(self.world.recorded.impressions["row"], minlength=total),
        )
        source, target = self.world.society.follows.pairs()
        n = len(self.user_ids)
        counts = zip(
            np.bincount(target, minlength=n).tolist(),
            np.bincount(source, minlength=n).tolist(),
            np.bincount(self.world.posts.author, minlength=n).tolist(),
            self.user_ids.tolist(),
            strict=True,
        )
        table = User._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET followers_count = %s, following_count = %s, posts_count = %s WHERE id = %s",
                list(counts),
            )

    def notifications(self) -> None:
        """News of the last days: who liked, reposted, answered, quoted or followed."""
        done, posts, relations = self.world.recorded.engagements, self.world.posts, self.world.recorded.relations
        since = self.world.end - NOTIFIED_DAYS * DAY
        names = {
            EngagementKind.FAVORITE: NotificationKind.FAVORITE,
            EngagementKind.REPOST: NotificationKind.REPOST,
            EngagementKind.REPLY: NotificationKind.REPLY,
            EngagementKind.QUOTE: NotificationKind.QUOTE,
        }
        fresh = (done["seconds"] > since) & np.isin(done["kind"], list(names))
        fresh &= posts.author[done["row"]] != done["user"]
        about = np.where(done["made"] >= 0, done["made"], done["row"])
        about = np.where(done["kind"] == EngagementKind.REPOST, done["row"], about)[fresh]
        followed = (relations["code"] == 0) & (relations["seconds"] > since)
        recipient = np.append(posts.author[done["row"][fresh]], relations["second"][followed])
        actor = np.append(done["user"][fresh], relations["first"][followed])
        seconds = np.append(done["seconds"][fresh], relations["seconds"][followed])
        kinds = [str(names[EngagementKind(kind)]) for kind in done["kind"][fresh].tolist()]
        kinds += [str(NotificationKind.FOLLOW)] * int(followed.sum())
        about_ids = self._optional(np.append(about, np.full(int(followed.sum()), -1)))
        self._notify(recipient, actor, seconds, kinds, about_ids)

    def _notify(
        self, recipient: np.ndarray, actor: np.ndarray, seconds: np.ndarray, kinds: list[str], about: list[int | None]
    ) -> None:
        """Rows in order of time, each (recipient, actor, kind, post) once."""
        seen, order = set(), []
        for place in np.argsort(seconds, kind="stable").tolist():
            key = (int(recipient[place]), int(actor[place]), kinds[place], about[place])
            if key not in seen:
                seen.add(key)
                order.append(place)
        moment = timestamps(self.world.milliseconds(seconds[order]))
        read = self.rng.random(len(order)) < 0.4
        copy_rows(
            Notification,
            len(order),
            recipient_id=self.user_ids[recipient[order]],
            actor_id=self.user_ids[actor[order]],
            kind=[kinds[place] for place in order],
            post_id=[about[place] for place in order],
            created_at=moment,
            read_at=[when if was else None for when, was in zip(moment, read.tolist(), strict=True)],
        )


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """The value of each wanted key, or its fallback."""
    if not len(keys):
        return fallback
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    hit = keys[order][place] == wanted
    return np.where(hit, values[order][place], fallback)


def _saved(name: str, data: bytes) -> str:
    """Store a file under exactly this name, keeping one that is there."""
    return name if default_storage.exists(name) else default_storage.save(name, ContentFile(data))


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
