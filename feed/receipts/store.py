"""Receipts in PostgreSQL: written once, compressed, read by their owner, gone after 30 days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import zstandard

from feed.models import Receipt
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

KEPT = timedelta(days=30)
LEVEL = 3


def save(receipt: dict[str, Any], *, viewer_id: int) -> None:
    """Store a receipt; storing the same request again changes nothing."""
    body = zstandard.ZstdCompressor(level=LEVEL).compress(orjson.dumps(receipt))
    row = Receipt(
        request_id=int(receipt["request_id"]),
        viewer_id=viewer_id,
        weight_set=receipt["weight_set"],
        model=receipt["model"],
        build=receipt["build"],
        body=body,
        created_at=clock.from_ms(receipt["at_ms"]),
    )
    Receipt.objects.bulk_create([row], ignore_conflicts=True)


def load(*, viewer_id: int, request_id: int) -> dict[str, Any]:
    """A receipt of this viewer. Raises NotFound for none and for somebody else's."""
    row = Receipt.objects.filter(pk=request_id, viewer_id=viewer_id).first()
    if row is None:
        raise NotFound("There is no record of this page. Records are kept for 30 days.")
    return unpack(row)


def unpack(row: Receipt) -> dict[str, Any]:
    """The stored values."""
    return orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(row.body)))


def recent(*, viewer_id: int, limit: int = 20) -> list[Receipt]:
    """A viewer's newest receipts, without their bodies."""
    return list(Receipt.objects.filter(viewer_id=viewer_id).defer("body").order_by("-created_at")[:limit])


def expire() -> int:
    """Delete what is older than 30 days; returns how many."""
    deleted, _ = Receipt.objects.filter(created_at__lt=clock.now() - KEPT).delete()
    return deleted
