"""What people saw and did, and the news of it, into the tables of posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feed.simulation.authoring import DAY
from feed.simulation.bulk import copy_rows, snowflakes
from feed.simulation.society import RELATIONS
from posts.models import Bookmark, Engagement, Impression, Notification
from posts.models.notification import NotificationKind
from posts.types import EngagementKind

if TYPE_CHECKING:
    from feed.simulation.load import Load

TABLES = (Impression, Engagement, Bookmark, Notification)
NOTIFIED_DAYS = 2.0
#: Kinds of actions that make news.
NEWS = {
    EngagementKind.FAVORITE: NotificationKind.FAVORITE,
    EngagementKind.REPOST: NotificationKind.REPOST,
    EngagementKind.REPLY: NotificationKind.REPLY,
    EngagementKind.QUOTE: NotificationKind.QUOTE,
}
FOLLOW, REQUEST = -1, -2  # beside the kinds of actions


def impressions(load: Load) -> None:
    """What was shown and seen, with its propensity."""
    made, authors = load.world.recorded.impressions, load.world.posts.author
    moment = load.world.milliseconds(made["seconds"])
    load.number_pages()
    load.impression_ids = snowflakes(moment, first=load.num_impressions)
    load.num_impressions += len(moment)
    copy_rows(
        Impression,
        len(made["user"]),
        id=load.impression_ids,
        user_id=load.user_ids[made["user"]],
        post_id=load.post_ids[made["row"]],
        author_id=load.user_ids[authors[made["row"]]],
        surface=made["surface"],
        position=made["position"],
        request_id=load.page_ids[made["page"]],
        seconds=made["dwell"],
        propensity=made["propensity"],
        created_at=moment,
    )


def engagements(load: Load) -> None:
    """What was done; bookmarks have a table of their own besides."""
    done, authors = load.world.recorded.engagements, load.world.posts.author
    moment = load.world.milliseconds(done["seconds"])
    copy_rows(
        Engagement,
        len(moment),
        id=snowflakes(moment, first=load.num_engagements),
        user_id=load.user_ids[done["user"]],
        post_id=load.post_ids[done["row"]],
        author_id=load.user_ids[authors[done["row"]]],
        kind=done["kind"],
        surface=done["surface"],
        seconds=done["value"],
        request_id=np.ma.masked_array(load.page_ids[done["page"]], mask=done["page"] < 0),
        made_post_id=load.optional_posts(done["made"]),
        created_at=moment,
    )
    load.num_engagements += len(moment)
    kept = done["kind"] == EngagementKind.BOOKMARK
    copy_rows(
        Bookmark,
        int(kept.sum()),
        user_id=load.user_ids[done["user"][kept]],
        post_id=load.post_ids[done["row"][kept]],
        created_at=moment[kept],
    )


def notifications(load: Load) -> None:
    """News of the last days, of all days for demo people: likes, reposts, answers, quotes, followers, requests."""
    done, relations, posts = load.world.recorded.engagements, load.world.recorded.relations, load.world.posts
    since = np.full(len(load.user_ids), load.world.end - NOTIFIED_DAYS * DAY)
    since[load.world.people.demo] = -np.inf
    author = posts.author[done["row"]]
    fresh = (done["seconds"] > since[author]) & np.isin(done["kind"], list(NEWS)) & (author != done["user"])
    about = np.where(done["made"] >= 0, done["made"], done["row"])
    about = np.where(done["kind"] == EngagementKind.REPOST, done["row"], about)[fresh]
    kind = done["kind"][fresh]
    parts = [(author[fresh], done["user"][fresh], kind, about, done["seconds"][fresh])]
    made = (relations["seconds"] > since[relations["second"]]) & (relations["code"] == RELATIONS.index("follow"))
    parts.append(_about_people(FOLLOW, relations["second"][made], relations["first"][made], relations["seconds"][made]))
    asked, moment = load.world.requests, load.world.end + load.world.requests.day * DAY
    new = moment > since[asked.target]
    parts.append(_about_people(REQUEST, asked.target[new], asked.source[new], moment[new]))
    _notify(load, *(np.concatenate(column) for column in zip(*parts, strict=True)))


def _about_people(
    kind: int, recipient: np.ndarray, actor: np.ndarray, seconds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return recipient, actor, np.full(len(actor), kind), np.full(len(actor), -1), seconds


def _notify(
    load: Load, recipient: np.ndarray, actor: np.ndarray, kind: np.ndarray, about: np.ndarray, seconds: np.ndarray
) -> None:
    """Rows in order of time, each (recipient, actor, kind, post) once."""
    order = np.argsort(seconds, kind="stable")
    keys = np.stack([column[order] for column in (recipient, actor, kind, about)], axis=1)
    order = order[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
    words = {int(code): str(word) for code, word in NEWS.items()}
    words |= {FOLLOW: str(NotificationKind.FOLLOW), REQUEST: str(NotificationKind.FOLLOW_REQUEST)}
    moment = load.world.milliseconds(seconds[order])
    copy_rows(
        Notification,
        len(order),
        recipient_id=load.user_ids[recipient[order]],
        actor_id=load.user_ids[actor[order]],
        kind=[words[code] for code in kind[order].tolist()],
        post_id=load.optional_posts(about[order]),
        created_at=moment,
        read_at=np.ma.masked_array(moment, mask=load.rng.random(len(order)) >= 0.4),
    )
