"""manage.py phoenix_indexer: candidate vectors for new posts as soon as they are announced."""

from __future__ import annotations

import socket
from typing import Any

from posts.events import PostCreated, PostDeleted
from ranking import tasks
from ranking.management.base import PhoenixCommand
from xsocial.kernel.event_log import Consumer, Event

GROUP = "ranking.indexer"


def reconcile(event: Event) -> None:
    """Any change is a reason to look; the indexer finds out itself what is missing."""
    tasks.index_new_posts()


class Command(PhoenixCommand):
    help = "Follows the event log and keeps the candidate vectors current. Stop with Ctrl-C."

    def handle(self, **options: Any) -> None:
        consumer = Consumer(GROUP, socket.gethostname(), {PostCreated: reconcile, PostDeleted: reconcile})
        try:
            consumer.run()
        except KeyboardInterrupt:
            consumer.stop()
