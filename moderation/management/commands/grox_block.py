"""Put pictures on the list of forbidden ones, or take them off."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from moderation import services
from moderation.models import BlockedPicture
from moderation.services.blocklist import LABELS
from moderation.types import Label
from xsocial.kernel import fingerprints
from xsocial.kernel.errors import Invalid


class Command(BaseCommand):
    help = "Block pictures by FILE, or by fingerprint of 64 hexadecimal digits; posts that show them are labelled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pictures", nargs="+", metavar="FILE|FINGERPRINT")
        parser.add_argument("--label", default=str(Label.PDNA), choices=[str(label) for label in LABELS])
        parser.add_argument("--note", default="", help="where the picture comes from")
        parser.add_argument("--remove", action="store_true", help="take them off the list")

    def handle(self, *, pictures: list[str], label: str, note: str, remove: bool, **_: Any) -> None:
        for name in pictures:
            try:
                bits = _bits(name)
                num_posts = self._remove(bits) if remove else self._add(bits, label, note or Path(name).name)
            except (OSError, Invalid) as error:
                self.stderr.write(f"grox_block: {name}: {error}")
                sys.exit(2)
            self.stdout.write(f"{fingerprints.to_hex(bits)}  {num_posts} posts  {name}")

    def _add(self, bits: str, label: str, note: str) -> int:
        return services.block_picture(bits=bits, label=Label(label), note=note)[1]

    def _remove(self, bits: str) -> int:
        row = BlockedPicture.objects.filter(bits=bits).first()
        if row is None:
            raise Invalid("This picture is not on the list.")
        return services.unblock_picture(row)


def _bits(name: str) -> str:
    try:
        return fingerprints.from_hex(name)
    except ValueError:
        with Path(name).open("rb") as file:
            return services.fingerprint_of(file)
