"""Enqueue posts that were never analysed to an end."""

from typing import Any

from django.core.management.base import BaseCommand

from moderation.tasks import recover


class Command(BaseCommand):
    help = "Find posts without a finished analysis and enqueue them on the recovery stream."

    def handle(self, **_: Any) -> None:
        self.stdout.write(f"{recover()} posts enqueued")
