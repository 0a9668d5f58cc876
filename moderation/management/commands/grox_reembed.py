"""Make a version of content embeddings for all posts, then put it in force."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from moderation import services
from moderation.services.embeddings import VERSIONS
from posts.selectors.embeddings import served_version
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = (
        "Embed all posts that have no vector of VERSION, while the present version is read, and then change over. "
        "Can be stopped and started again."
    )

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Our `--version` is that of the vectors, not Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--version", dest="name", default=VERSIONS[0], help=" or ".join(VERSIONS))
        parser.add_argument("--batch", type=whole(), default=256, help="posts at a time")
        parser.add_argument("--keep", action="store_true", help="make the vectors, but leave the version in force")

    def handle(self, *, name: str, batch: int, keep: bool, **_: Any) -> None:
        try:
            services.begin_version(name)
        except ValueError as error:
            self._refuse(str(error))
        written = 0
        with tqdm(total=services.without_vector(name).count(), unit="posts") as bar:
            for looked_at, made in services.embed_missing(name, batch=batch):
                written += made
                bar.update(looked_at)
        if not keep:
            services.serve_version(name)
        self.stdout.write(f"{written} vectors of {name} written; {served_version()} is in force")

    def _refuse(self, words: str) -> None:
        self.stderr.write(f"grox_reembed: {words}")
        sys.exit(2)
