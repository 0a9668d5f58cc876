"""manage.py phoenix_indexer: candidate vectors for new posts as soon as they are announced."""

from __future__ import annotations

import socket
from typing import Any

from accounts.events import ProfileUpdated, ReachabilityChanged
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
        news = (PostCreated, PostDeleted, ProfileUpdated, ReachabilityChanged)
        consumer = Consumer(GROUP, socket.gethostname(), dict.fromkeys(news, reconcile))
        try:
            consumer.run()
        except KeyboardInterrupt:
            consumer.stop()
