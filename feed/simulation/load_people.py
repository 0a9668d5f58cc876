"""People and what is between them, into the tables of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import models

from accounts.models import (
    Block,
    CreatorSubscription,
    Follow,
    FollowedTopic,
    FollowRequest,
    Mute,
    StarterPack,
    StarterPackFollow,
    Topic,
    User,
)
from feed.simulation import graph as graphs
from feed.simulation import pictures, text
from feed.simulation.authoring import DAY
from feed.simulation.bulk import copy_rows
from feed.simulation.people import DEMO_PEOPLE
from feed.simulation.society import RELATIONS
from feed.simulation.topics import LANGUAGES, all_topics, families

if TYPE_CHECKING:
    from feed.simulation.load import Load

TABLES = (User, Follow, FollowRequest, Block, Mute, CreatorSubscription, FollowedTopic)
MAX_AVATARS = 1200
HEADERS = 16
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


def people(load: Load) -> None:
    """Accounts with profile, pictures and exact counters."""
    world, crowd, draw = load.world, load.world.people, load.random
    n = len(crowd)
    language = [LANGUAGES[index] for index in crowd.language]
    avatars, headers = _avatars(load, n), _headers(load)
    has_header = crowd.quality > 0.5
    has_header[crowd.demo] = True
    follower, followed = world.society.follows.pairs()
    copy_rows(
        User,
        n,
        id=load.user_ids,
        username=load.handles,
        display_name=_display_names(load.handles),
        bio=[text.bio(draw, weights) for weights in crowd.subtopic_weight],
        password=[make_password(settings.DEMO_PASSWORD)] * n,
        is_active=np.ones(n, dtype=bool),
        is_locked=crowd.is_locked,
        offers_subscriptions=crowd.is_creator,
        language=language,
        country_code=[draw.choice(COUNTRIES[code]) for code in language],
        time_zone=[ZONES[int(hours)] for hours in crowd.hours_from_utc],
        birth_year=np.array([draw.randrange(1955, 2007) for _ in range(n)]),
        avatar=[avatars[index % len(avatars)] for index in range(n)],
        header=[headers[index % len(headers)] if has_header[index] else "" for index in range(n)],
        is_demo=np.isin(np.arange(n), crowd.demo),
        date_joined=load.joined_ms,
        followers_count=np.bincount(followed, minlength=n),
        following_count=np.bincount(follower, minlength=n),
        posts_count=np.bincount(world.posts.author, minlength=n),
    )


def _display_names(handles: list[str]) -> list[str]:
    names = [handle.rstrip("0123456789").replace("_", " ").title() for handle in handles]
    for index, (_, name, _) in enumerate(DEMO_PEOPLE[: len(names)]):
        names[index] = name
    return names


def _avatars(load: Load, count: int) -> list[str]:
    return [
        load.saved(f"avatars/demo-{load.seed}-{index}.png", pictures.avatar(f"{load.seed}-{index}"))
        for index in range(min(count, MAX_AVATARS))
    ]


def _headers(load: Load) -> list[str]:
    return [
        load.saved(f"headers/demo-{load.seed}-{index}.jpg", pictures.header(index, load.seed))
        for index in range(HEADERS)
    ]


def graph(load: Load) -> None:
    """Follows, requests to locked accounts, blocks, mutes and paid subscriptions, each with its moment."""
    world, society = load.world, load.world.society
    source, target = society.follows.pairs()
    days = np.maximum(world.people.joined_day[source], world.people.joined_day[target]) * 0.5
    first = world.first_follows
    day_of = _days_of(load, "follow", source, target, days, (first.source, first.target, first.day))
    _edges(load, Follow, source, target, day_of, "follower_id", "followee_id")
    for model, relation, pairs, names in (
        (Block, "block", society.blocks, ("blocker_id", "blocked_id")),
        (Mute, "mute", society.mutes, ("muter_id", "muted_id")),
    ):
        one, other = pairs.pairs()
        yesterday = np.full(len(one), -1.0)
        _edges(load, model, one, other, _days_of(load, relation, one, other, yesterday), *names)
    asked, paid = world.requests, world.subscriptions
    _edges(load, FollowRequest, asked.source, asked.target, asked.day, "requester_id", "target_id")
    _edges(load, CreatorSubscription, paid.source, paid.target, paid.day, "subscriber_id", "author_id")


def _edges(
    load: Load, model: type[models.Model], first: np.ndarray, second: np.ndarray, day: np.ndarray, *names: str
) -> None:
    ends = {names[0]: load.user_ids[first], names[1]: load.user_ids[second]}
    copy_rows(model, len(first), **ends, created_at=load.days_ms(day))


def _days_of(
    load: Load,
    relation: str,
    first: np.ndarray,
    second: np.ndarray,
    fallback: np.ndarray,
    known: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Day of each pair: as known from the beginning, or when reading led to it."""
    n, relations = len(load.world.people), load.world.recorded.relations
    made = relations["code"] == RELATIONS.index(relation)
    keys = relations["first"][made].astype(np.int64) * n + relations["second"][made]
    days = relations["seconds"][made] / DAY - load.world.size.days
    if known is not None:
        keys, days = np.append(known[0] * n + known[1], keys), np.append(known[2], days)
    return _looked_up(keys, days, first * n + second, fallback)


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """The value of each wanted key, or its fallback."""
    if not len(keys):
        return fallback
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    hit = keys[order][place] == wanted
    return np.where(hit, values[order][place], fallback)


def interests(load: Load) -> None:
    """Topics in their families, who follows them, and starter packs."""
    parents = {name: Topic(slug=name, name=name.title(), position=index) for index, name in enumerate(families())}
    Topic.objects.bulk_create(parents.values())
    load.topics = Topic.objects.bulk_create(
        Topic(slug=topic.slug, name=topic.name, parent=parents[topic.family], position=10 + index)
        for index, topic in enumerate(all_topics())
    )
    crowd, space = load.world.people, load.world.space
    weight = np.stack(
        [crowd.subtopic_weight[:, space.topic_of == index].sum(axis=1) for index in range(len(load.topics))],
        axis=1,
    )
    follows = (weight > 0.12) & (load.rng.random(weight.shape) < 0.4)
    follows[crowd.demo] = weight[crowd.demo] > 0.1
    user, topic = np.nonzero(follows)
    topic_ids = np.array([topic.pk for topic in load.topics])
    copy_rows(FollowedTopic, len(user), user_id=load.user_ids[user], topic_id=topic_ids[topic])
    _starter_packs(load)


def _starter_packs(load: Load) -> None:
    crowd, rng = load.world.people, load.rng
    packs = graphs.starter_packs(crowd, load.world.first_follows, load.world.space)
    rows = StarterPack.objects.bulk_create(
        StarterPack(
            slug=f"{all_topics()[topic].slug}-starters",
            name=f"{all_topics()[topic].name}: where to begin",
            description=f"People who write about {all_topics()[topic].name.lower()} often and well.",
            creator_id=int(load.user_ids[members[0]]),
            position=position,
        )
        for position, (topic, members) in enumerate(packs)
    )
    through = StarterPack.members.through
    member = np.concatenate([members for _, members in packs]) if packs else np.empty(0, dtype=np.int64)
    pack_ids = np.repeat([row.pk for row in rows], [len(members) for _, members in packs]).astype(np.int64)
    copy_rows(through, len(member), starterpack_id=pack_ids, user_id=load.user_ids[member])
    for position, row in enumerate(rows):
        takers = np.flatnonzero(rng.random(len(crowd)) < 0.01)
        takers = np.union1d(takers, crowd.demo[position : position + 1])
        copy_rows(StarterPackFollow, len(takers), user_id=load.user_ids[takers], pack_id=np.full(len(takers), row.pk))
