"""Posts with their media, tags, topics and counters, into the tables of posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feed.simulation import pictures
from feed.simulation.authoring import CLIP_SECONDS, PICTURE, VIDEO
from feed.simulation.bulk import copy_rows, snowflakes
from feed.simulation.record import Recorded
from feed.simulation.topics import LANGUAGES, all_topics
from posts.models import Media, Mention, Post, PostCounts, PostTag, PostTopic, Tag
from posts.services import text as wording
from posts.types import EngagementKind, MediaKind

if TYPE_CHECKING:
    from feed.simulation.load import Load

TABLES = (Post, Media, PostTag, PostTopic, Mention, PostCounts)
PICTURES_PER_TOPIC = 5


def posts(load: Load) -> np.ndarray:
    """Every post not written yet, with the words its hidden traits suggest; returns their rows."""
    rows, table = load.number_posts(), load.world.posts
    load.texts += [load.writer.text(row) for row in rows.tolist()]
    parent, clip = table.in_reply_to[rows], table.clip_seconds[rows]
    copy_rows(
        Post,
        len(rows),
        id=load.post_ids[rows],
        author_id=load.user_ids[table.author[rows]],
        text=load.texts[-len(rows) :],
        language=[LANGUAGES[index] for index in table.language[rows].tolist()],
        subscribers_only=table.subscribers_only[rows],
        in_reply_to_id=load.optional_posts(parent),
        in_reply_to_user_id=np.ma.masked_array(load.user_ids[table.author[parent]], mask=parent < 0),
        repost_of_id=load.optional_posts(table.repost_of[rows]),
        quote_of_id=load.optional_posts(table.quote_of[rows]),
        conversation_id=load.post_ids[table.root[rows]],
        has_media=table.form[rows] > 0,
        video_duration_ms=np.ma.masked_array((clip * 1000).astype(np.int64), mask=clip <= 0),
        created_at=load.world.milliseconds(table.seconds[rows]),
    )
    return rows


def media(load: Load) -> None:
    """Attach one of the topic's drawings, or one of the clips, to each post that shows something."""
    table = load.world.posts
    stills = [_stored(load, pictures.topic_pictures(topic, PICTURES_PER_TOPIC, load.seed)) for topic in all_topics()]
    clips = _stored(load, [pictures.clip(number, seconds, load.seed) for number, seconds in enumerate(CLIP_SECONDS)])
    shown = np.flatnonzero(table.form > 0)
    topics, moments = load.world.space.topic_of[table.subtopic[shown]], load.world.milliseconds(table.seconds[shown])
    found = [
        clips[artwork % len(clips)] if form == VIDEO else stills[topic][artwork % PICTURES_PER_TOPIC]
        for artwork, form, topic in zip(
            table.artwork[shown].tolist(), table.form[shown].tolist(), topics.tolist(), strict=True
        )
    ]
    copy_rows(
        Media,
        len(shown),
        id=snowflakes(moments - 1),
        owner_id=load.user_ids[table.author[shown]],
        post_id=load.post_ids[shown],
        kind=[str(MediaKind.IMAGE if form == PICTURE else MediaKind.VIDEO) for form in table.form[shown].tolist()],
        created_at=moments,
        **{name: [entry[name] for entry in found] for name in (found[0] if found else ())},
    )


def _stored(load: Load, drawn: list[pictures.Picture]) -> list[dict[str, Any]]:
    return [
        {
            "file": load.saved(f"media/demo/{load.seed}-{picture.name}", picture.data),
            "preview": load.saved(f"previews/demo/{load.seed}-{picture.name}.jpg", picture.poster)
            if picture.poster
            else "",
            "alt_text": picture.alt_text,
            "width": picture.width,
            "height": picture.height,
            "duration_ms": np.nan if picture.duration_ms is None else picture.duration_ms,
            "blurhash": picture.blurhash,
            "content_type": picture.content_type,
        }
        for picture in drawn
    ]


def tagging(load: Load) -> None:
    """Hashtags, whom replies name, and what a topic classifier would say."""
    rows, names = [], []
    for row, words in enumerate(load.texts):
        for tag in wording.hashtags(words) if "#" in words else ():
            rows.append(row)
            names.append(tag)
    tags = {tag.name: tag.pk for tag in Tag.objects.bulk_create(Tag(name=name) for name in sorted(set(names)))}
    copy_rows(PostTag, len(rows), post_id=load.post_ids[rows], tag_id=np.array([tags[name] for name in names]))
    table = load.world.posts
    parent = table.in_reply_to
    naming = np.flatnonzero((parent >= 0) & (table.author != table.author[parent]))
    naming = naming[["@" in load.texts[row] for row in naming.tolist()]] if len(naming) else naming
    copy_rows(
        Mention,
        len(naming),
        post_id=load.post_ids[naming],
        user_id=load.user_ids[table.author[parent[naming]]],
    )
    topics(load, np.arange(len(table)))


def topics(load: Load, rows: np.ndarray) -> None:
    """The classifier is mostly right, now and then silent or mistaken."""
    table, rng = load.world.posts, load.rng
    rows = rows[(table.repost_of[rows] < 0) & (rng.random(len(rows)) < 0.93)]
    topic = load.world.space.topic_of[table.subtopic[rows]]
    topic = np.where(rng.random(len(rows)) < 0.06, rng.integers(0, len(load.topics), len(rows)), topic)
    topic_ids = np.array([topic.pk for topic in load.topics])
    copy_rows(
        PostTopic,
        len(rows),
        post_id=load.post_ids[rows],
        topic_id=topic_ids[topic],
        confidence=np.round(rng.beta(8, 2, len(rows)), 3),
    )


def counters(load: Load) -> None:
    """Each post's counters, summed over what was written."""
    recorded = load.world.recorded
    copy_rows(PostCounts, len(load.post_ids), post_id=load.post_ids, **counted(recorded, len(load.post_ids)))


def counted(recorded: Recorded, num_posts: int) -> dict[str, np.ndarray]:
    """What was recorded, by counter and post."""

    def done(*kinds: EngagementKind) -> np.ndarray:
        rows = recorded.engagements["row"][np.isin(recorded.engagements["kind"], kinds)]
        return np.bincount(rows, minlength=num_posts)

    kind = EngagementKind
    return {
        "favorites": done(kind.FAVORITE),
        "replies": done(kind.REPLY),
        "reposts": done(kind.REPOST),
        "quotes": done(kind.QUOTE),
        "bookmarks": done(kind.BOOKMARK),
        "shares": done(kind.SHARE, kind.SHARE_VIA_DM, kind.SHARE_VIA_COPY_LINK),
        "views": np.bincount(recorded.impressions["row"], minlength=num_posts),
    }
