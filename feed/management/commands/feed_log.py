"""``feed_log``: the newest records of one of the feed's logs, a JSON object a line."""

from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser

from feed.home_mixer import records
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = "Print the newest records of a log of the feed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("log", choices=records.LOGS)
        parser.add_argument("--last", type=whole(), default=10, help="how many; 10 unless told")

    def handle(self, *args: Any, **options: Any) -> None:
        for record in records.newest(options["log"], options["last"]):
            self.stdout.write(orjson.dumps(record).decode())
