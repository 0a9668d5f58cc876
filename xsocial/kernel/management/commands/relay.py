"""`manage.py relay`: move events from the outbox to the stream until told to stop."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from xsocial.kernel.event_log import Relay


class Command(BaseCommand):
    """Runs one relay in the foreground; several may run, of which one works at a time."""

    # Checking would load every page, and with it the model libraries.
    requires_system_checks = ()
    help = "Move events from the outbox to the event stream."

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        relay.run()
