"""Event log -> streams -> Celery. One message carries a batch of posts: the embedder likes company.

Streams take turns by weight, within their rates, and only so many batches are in flight at once.

Events are acknowledged when their posts are in the dispatcher's hands. What is lost between there and the
queue, or in a worker that dies, is found by the recovery sweep.
"""

import threading
from collections import Counter
from uuid import uuid4

import structlog
from django.conf import settings
from kombu.exceptions import OperationalError

from moderation.grox import in_flight
from moderation.grox.generators import Generator, PriorityGenerator
from moderation.grox.payload import BATCH, Stream
from moderation.tasks import analyze_posts, read_media
from posts.events import Engaged, MediaUploaded, PostCreated, PostEdited
from posts.types import EngagementKind
from xsocial.kernel import metrics, redis
from xsocial.kernel.event_log import Consumer

GROUP = "grox"
MAX_IN_FLIGHT = 500  # batches; beyond that posts wait here, and then in the event log
MAX_WAITING = 5_000  # posts
POPULAR_LIKES = 20
DELUXE_LIKES = 128  # as published
LIKES_REMEMBERED = 100_000
BLOCK_MS = 250
PAUSE_S = 0.25

log = structlog.get_logger(__name__)


def streams() -> list[Generator]:
    """The streams that the event log feeds. New posts come first: somebody waits to see them."""
    return [
        Generator(Stream.REALTIME, weight=8),
        Generator(Stream.EDITED, weight=4),
        Generator(Stream.POST_SAFETY, weight=1, max_qps=50),
        Generator(Stream.SAFETY_PTOS_DELUXE, weight=1, max_qps=20),
    ]


class Dispatcher:
    """Reads with a consumer group what was posted, edited and liked, and enqueues analyses."""

    def __init__(self, consumer: str, generators: list[Generator] | None = None) -> None:
        self.waiting = PriorityGenerator(generators or streams())
        self._likes: Counter[int] = Counter()
        self._stop = threading.Event()
        handlers = {
            PostCreated: self._on_created,
            PostEdited: self._on_edited,
            Engaged: self._on_engaged,
            MediaUploaded: self._on_uploaded,
        }
        self._consumer = Consumer(GROUP, consumer, handlers)

    def stop(self) -> None:
        """Ask `run` to return once what it holds is enqueued."""
        self._stop.set()

    def run(self) -> None:
        """Dispatch until stopped; outages of Valkey are waited out."""
        while not self._stop.is_set():
            try:
                self.step()
            except (redis.RedisError, OperationalError) as error:
                log.warning("dispatcher waits", error=str(error))
                self._stop.wait(1.0)
        self.drain()

    def step(self) -> int:
        """Take what has happened and enqueue what may go; returns the number of posts enqueued."""
        if len(self.waiting) < MAX_WAITING:
            self._consumer.poll(block_ms=0 if len(self.waiting) else BLOCK_MS)
        num_sent = self.flush()
        if len(self.waiting) and not num_sent:
            self._stop.wait(PAUSE_S)
        return num_sent

    def flush(self) -> int:
        """Enqueue batches while there is room in flight. What cannot be enqueued stays in hand."""
        num_sent = 0
        num_flying = in_flight.count()
        metrics.gauge("grox_in_flight", "Batches in the queue and in workers").set(num_flying)
        room = max_in_flight() - num_flying
        while room > 0 and (taken := self.waiting.take(BATCH)):
            generator, post_ids = taken
            message_id = str(uuid4())
            try:
                in_flight.begin(message_id)
                analyze_posts.apply_async([post_ids], {"stream": str(generator.stream)}, task_id=message_id)
            except (redis.RedisError, OperationalError):
                generator.give_back(post_ids)
                raise
            room -= 1
            num_sent += len(post_ids)
            metrics.counter("grox_dispatched", "Posts sent to analysis", ("stream",)).labels(generator.stream).inc(
                len(post_ids)
            )
        return num_sent

    def drain(self) -> None:
        """Enqueue everything in hand, whatever the rates: nothing is left behind at the end."""
        for generator in self.waiting.generators.values():
            generator.max_qps = None
        while len(self.waiting) and self.flush():
            continue

    def _on_created(self, event: PostCreated) -> None:
        if event.repost_of_id is None:
            self.waiting.put(Stream.REALTIME, event.post_id)

    def _on_uploaded(self, event: MediaUploaded) -> None:
        """It is looked into while its owner still writes, so that the post is usually judged as a whole."""
        read_media.delay(event.media_id)

    def _on_edited(self, event: PostEdited) -> None:
        self.waiting.put(Stream.EDITED, event.post_id)

    def _on_engaged(self, event: Engaged) -> None:
        """A post that many like is looked at again, more closely the more do."""
        if event.kind != EngagementKind.FAVORITE:
            return
        self._likes[event.post_id] += 1
        match self._likes[event.post_id]:
            case number if number == popular_likes():
                self.waiting.put(Stream.POST_SAFETY, event.post_id)
            case number if number == DELUXE_LIKES:
                self.waiting.put(Stream.SAFETY_PTOS_DELUXE, event.post_id)
        if len(self._likes) > LIKES_REMEMBERED:
            self._likes = Counter(dict(self._likes.most_common(LIKES_REMEMBERED // 2)))


def max_in_flight() -> int:
    """How many batches may be in the queue and in workers together."""
    return int(getattr(settings, "GROX_MAX_IN_FLIGHT", MAX_IN_FLIGHT))


def popular_likes() -> int:
    """From how many likes a post's safety is screened once more."""
    return int(getattr(settings, "GROX_POPULAR_LIKES", POPULAR_LIKES))
