"""A small invented log with a known preference: people like subjects and authors, and good posts."""

from __future__ import annotations

import numpy as np

from posts.types import EngagementKind
from ranking.content import CONTENT_SIZE
from ranking.sequences import Events
from ranking.training.logs import Impressions, Logs, Posts
from xsocial.kernel import ids

START_MS = 1_780_000_000_000
MINUTE_MS = 60_000


def logs(
    *,
    users: int = 40,
    authors: int = 20,
    posts: int = 400,
    requests: int = 400,
    page: int = 12,
    seed: int = 0,
    days: float = 4,
) -> Logs:
    """Requests spread over some days; a like follows from subject match and the post's quality."""
    rng = np.random.default_rng(seed)
    span = int(days * 24 * 60 * MINUTE_MS)
    taste = rng.normal(size=(users, 8)).astype(np.float32)
    created = np.sort(START_MS + rng.integers(0, span, posts))
    author = rng.integers(0, authors, posts)
    subject = rng.normal(size=(posts, 8)).astype(np.float32)
    quality = rng.normal(size=posts)
    content = np.zeros((posts, CONTENT_SIZE), dtype=np.float32)
    content[:, :8] = subject / np.linalg.norm(subject, axis=1, keepdims=True)
    post_ids = np.array([ids.id_at(int(ms), i) for i, ms in enumerate(created)])
    author_ids = 1000 + author
    request_ms = np.sort(START_MS + span // 10 + rng.integers(0, span, requests))
    shown, events = [], []
    for request, at in enumerate(request_ms):
        user = int(rng.integers(users))
        available = np.flatnonzero(created < at)
        chosen = rng.choice(available, size=min(page, len(available)), replace=False)
        for position, post in enumerate(chosen):
            moment = int(at) + position * 1000
            shown.append((len(shown) + 1, user + 1, post_ids[post], 1, position, request + 1, 0.0, moment))
            liking = taste[user] @ content[post, :8] * 1.5 + 0.6 * quality[post] - 1.5
            for kind, shift in (
                (EngagementKind.FAVORITE, 0.0),
                (EngagementKind.CLICK, 0.3),
                (EngagementKind.DWELL, 1.2),
            ):
                if rng.random() < 1 / (1 + np.exp(-liking - shift)):
                    seconds = 8.0 if kind == EngagementKind.DWELL else 0.0
                    events.append(
                        (user + 1, post_ids[post], author_ids[post], int(kind), seconds, 1, moment + 500 + int(kind))
                    )
    return Logs(
        Impressions(*_columns(shown, (np.int64,) * 6 + (np.float32, np.int64))),
        Events(*_columns(events, (np.int64,) * 4 + (np.float32, np.int64, np.int64))),
        Posts(
            post_ids,
            author_ids,
            created,
            np.zeros(posts, bool),
            np.zeros(posts, bool),
            np.zeros(posts, np.int64),
            np.zeros(posts, bool),
            np.zeros(posts, np.int64),
            np.ones(posts, bool),
            content,
        ),
        (np.array([1]), np.array([1001]), np.array([START_MS])),
    )


def _columns(rows: list[tuple], types: tuple[type, ...]) -> list[np.ndarray]:
    return [np.array(column, dtype=kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
