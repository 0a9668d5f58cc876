"""Cursors: signed, so that a client can hand one back but not make one up."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.core import signing

from xsocial.kernel.errors import Invalid

SALT = "feed.cursor"
MAX_AGE_S = 24 * 3600
# What the pages before showed travels along, so that "load more" never repeats a post even while
# the served history is still being written.
MAX_IDS = 300


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page continues. ``direction`` is bottom, top, gap or empty (first page)."""

    direction: str = ""
    shown_ids: tuple[int, ...] = ()

    @property
    def is_bottom(self) -> bool:
        """Asks for what follows."""
        return self.direction == "bottom"

    @property
    def is_top(self) -> bool:
        """Asks for what is newer."""
        return self.direction == "top"

    @property
    def is_gap(self) -> bool:
        """Asks for what lies between two pages."""
        return self.direction == "gap"

    @classmethod
    def parse(cls, text: str, *, viewer_id: int) -> Cursor:
        """Read a cursor. Raises Invalid for one that is forged, too old or somebody else's."""
        if not text:
            return cls()
        try:
            owner, direction, packed = signing.loads(text, salt=SALT, max_age=MAX_AGE_S)
            shown = _unpacked(packed)
        except (signing.BadSignature, ValueError, TypeError, binascii.Error, zlib.error):
            raise Invalid("This page marker is not valid any more.", extra={"field": "cursor"}) from None
        if owner != viewer_id:
            raise Invalid("This page marker is not yours.", extra={"field": "cursor"})
        return cls(direction, shown)

    def text(self, *, viewer_id: int) -> str:
        """The signed form."""
        return signing.dumps([viewer_id, self.direction, _packed(self.shown_ids)], salt=SALT)


def following(before: Iterable[int], shown: Iterable[int], *, viewer_id: int, direction: str = "bottom") -> str:
    """The cursor of the next page, or of a newer one: newest ids first, the oldest beyond the limit forgotten."""
    ids = tuple(dict.fromkeys([*shown, *before]))[:MAX_IDS]
    return Cursor(direction, ids).text(viewer_id=viewer_id)


def _packed(ids: tuple[int, ...]) -> str:
    return base64.b64encode(zlib.compress(np.array(ids, ">i8").tobytes())).decode()


def _unpacked(text: str) -> tuple[int, ...]:
    return tuple(np.frombuffer(zlib.decompress(base64.b64decode(text)), ">i8").tolist())
