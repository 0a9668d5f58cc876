"""Look into attachments that nobody has looked into, or again into those that could not be judged."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q
from tqdm import tqdm

from moderation import services
from moderation.grox import run
from moderation.grox.payload import BATCH, Stream
from moderation.models import MediaReading
from posts.models import Media
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = "Read attachments on this machine and judge their posts anew; can be stopped and started again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="also those that some model was missing for")
        parser.add_argument("--limit", type=whole(), default=None, help="at most so many attachments")

    def handle(self, *, again: bool, limit: int | None, **_: Any) -> None:
        wanted = Q(reading=None) | Q(reading__not_scored__gt="") if again else Q(reading=None)
        media_ids = list(Media.objects.filter(wanted).order_by("-pk").values_list("pk", flat=True)[:limit])
        post_ids = {services.read_media(media_id, again=again) for media_id in tqdm(media_ids, unit="files")}
        posts = sorted(post_ids - {None})
        for start in range(0, len(posts), BATCH):
            run.analyze(posts[start : start + BATCH], stream=Stream.MEDIA_READ)
        scored = MediaReading.objects.filter(pk__in=media_ids, not_scored="").count()
        self.stdout.write(f"{len(media_ids)} attachments read, {scored} fully scored, {len(posts)} posts judged anew")
