"""Event log -> payloads -> Celery. One message carries a batch of posts: the embedder likes company.

Events are acknowledged when their posts are in the dispatcher's hands. What is lost between there and the
queue, or in a worker that dies, is found by the recovery sweep.
"""

import threading
from collections import defaultdict

import structlog
from django.conf import settings
from kombu.exceptions import OperationalError

from moderation.grox.payload import BATCH, Stream
from moderation.tasks import analyze_posts
from posts.events import PostCreated, PostEdited
from xsocial.kernel import metrics, redis
from xsocial.kernel.event_log import Consumer

GROUP = "grox"
QUEUE = "grox.realtime"
MAX_QUEUED = 500  # batches waiting in Celery; beyond that the event log keeps the rest
BLOCK_MS = 250
PAUSE_S = 0.25

log = structlog.get_logger(__name__)


class Dispatcher:
    """Reads new and edited posts with a consumer group and enqueues their analysis."""

    def __init__(self, consumer: str) -> None:
        self._pending: dict[Stream, list[int]] = defaultdict(list)
        self._stop = threading.Event()
        self._consumer = Consumer(GROUP, consumer, {PostCreated: self._on_created, PostEdited: self._on_edited})

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
        if any(self._pending.values()):
            self.flush()

    def step(self) -> int:
        """Take what has happened and enqueue it; returns the number of posts enqueued."""
        if num_queued() >= getattr(settings, "GROX_MAX_QUEUED", MAX_QUEUED):
            self._stop.wait(PAUSE_S)
            return 0
        self._consumer.poll(block_ms=BLOCK_MS)
        return self.flush()

    def flush(self) -> int:
        """Enqueue what is in hand, in batches. What cannot be enqueued stays in hand."""
        num_sent = 0
        for stream, post_ids in self._pending.items():
            while post_ids:
                batch = post_ids[:BATCH]
                analyze_posts.delay(batch, stream=str(stream))
                del post_ids[: len(batch)]
                num_sent += len(batch)
        metrics.counter("grox_dispatched", "Posts sent to analysis").inc(num_sent)
        return num_sent

    def _on_created(self, event: PostCreated) -> None:
        if event.repost_of_id is None:
            self._pending[Stream.REALTIME].append(event.post_id)

    def _on_edited(self, event: PostEdited) -> None:
        self._pending[Stream.EDITED].append(event.post_id)


def num_queued() -> int:
    """Messages waiting in the Celery queue."""
    return int(redis.client("broker").llen(QUEUE))
