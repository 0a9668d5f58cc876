"""Run the Grox dispatcher: event log in, analysis tasks out."""

import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from moderation.grox.dispatcher import Dispatcher


class Command(BaseCommand):
    help = "Read new and edited posts from the event log and enqueue their analysis until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}", help="consumer in the group")

    def handle(self, *, name: str, **_: Any) -> None:
        dispatcher = Dispatcher(name)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: dispatcher.stop())
        dispatcher.run()
