"""Receipts in PostgreSQL: written once, packed, read by their owner, gone after 30 days."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import orjson
import structlog
from django.db import IntegrityError, transaction

from accounts.selectors.rights import has_right
from feed.home_mixer.tuning import Tuning, effective
from feed.models import LoadSettings, Receipt, ReceiptLook
from feed.reach import record
from feed.receipts import build, codec, partitions
from feed.receipts.tape import Tape
from xsocial.kernel import clock, ids, metrics
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

#: An id of a caller's own making, further than this from the load's moment, keeps no record.
STRAY_MS = 86_400_000
#: What follows a page is written within this; who asks sooner waits a little.
WRITTEN_WITHIN_MS = 5_000
PATIENCE_S = 1.0
LOOK_AGAIN_S = 0.05
#: What the model expects of a person, and what gives it away.
PERSONAL = ("predictions", "raw_predictions", "conditions", "combined", "weighted_score", "base_score")
#: What the settings shared by many loads say; left out of each load's own record.
SHARED = ("model", "weight_set", "weights", "build")

log = structlog.get_logger(__name__)


def save(receipt: dict[str, Any], tape: Tape | None, *, settings: dict[str, Any]) -> None:
    """Store a load; storing the same request again changes nothing."""
    request_id = int(receipt["request_id"])
    if abs(ids.timestamp_ms(request_id) - receipt["at_ms"]) > STRAY_MS:
        metrics.counter("feed_receipts_refused", "Loads whose request id is not one of ours").inc()
        log.warning("feed.receipt_refused", request_id=request_id)
        return
    own = {name: value for name, value in receipt.items() if name not in (*SHARED, "dropped")}
    body = codec.pack({"receipt": own, "tape": tape.plain() if tape else None})
    viewer_id = int(receipt["viewer_id"])
    reached = record.of(tape, viewer_id=viewer_id, max_age_ms=_max_age_ms(settings)).packed() if tape else None
    row = Receipt(
        request_id=request_id, viewer_id=viewer_id, settings_id=_settings_id(settings), body=body, reach=reached
    )
    try:
        _insert(row)
    except IntegrityError:  # no partition for that day: beat has stood still, or the clock is another
        partitions.make(ids.datetime_of(request_id).date())
        _insert(row)
    size = metrics.histogram("feed_receipt_bytes", "Size of a stored receipt", buckets=(2**12, 2**13, 2**14, 2**15))
    size.observe(len(body))


def _max_age_ms(settings: dict[str, Any]) -> int:
    return 1_000 * int(settings["params"]["max_post_age_s"])


def _insert(row: Receipt) -> None:
    with transaction.atomic():
        Receipt.objects.bulk_create([row], ignore_conflicts=True)


def _settings_id(settings: dict[str, Any]) -> int:
    digest = hashlib.sha256(orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return LoadSettings.objects.get_or_create(digest=digest, defaults={"body": settings})[0].pk


def load(*, viewer_id: int, request_id: int) -> dict[str, Any]:
    """A receipt of this viewer, for which it waits a moment while the page is that new: it is written after the
    response. Raises NotFound for none and for somebody else's."""
    rows = Receipt.objects.filter(pk=request_id, viewer_id=viewer_id).select_related("settings")
    is_new = 0 <= clock.now_ms() - ids.timestamp_ms(request_id) < WRITTEN_WITHIN_MS
    until = time.monotonic() + (PATIENCE_S if is_new else 0)
    while (row := rows.first()) is None:
        if time.monotonic() >= until:
            raise NotFound("There is no record of this page. Records are kept for 30 days.")
        time.sleep(LOOK_AGAIN_S)
    return unpack(row)


def any_row(request_id: int) -> Receipt:
    """A receipt of anybody, for replay and for looks that are logged. Raises NotFound."""
    row = Receipt.objects.filter(pk=request_id).select_related("settings", "viewer").first()
    if row is None:
        is_old = 0 < request_id < ids.id_at(clock.to_ms(clock.now() - partitions.KEPT))
        raise NotFound(
            f"The record of page {request_id} has expired: records are kept for 30 days."
            if is_old
            else f"There is no record of page {request_id}."
        )
    return row


def may_look(user: Any) -> bool:
    """Whether the person has the right `feed.view_receipt`."""
    return has_right(user, "feed.view_receipt")


def look(request_id: int, *, actor: Any, reason: str) -> dict[str, Any]:
    """Somebody else's receipt, for those who may look, without the predictions; the look is logged first.

    Raises NotAllowed for others, Invalid without a reason, NotFound.
    """
    if not may_look(actor):
        raise NotAllowed("Only staff with the permission may look at the pages of others.")
    if not reason.strip():
        raise Invalid("Say why you look at this page.")
    row = any_row(request_id)
    log_look(row, actor=actor, reason=reason)
    return without_predictions(unpack(row))


def log_look(row: Receipt, *, actor: Any, reason: str) -> None:
    """Note that somebody other than the viewer looked."""
    ReceiptLook.objects.create(
        request_id=row.request_id, viewer_id=row.viewer_id, actor=actor, reason=reason.strip()[:200]
    )


def without_predictions(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt without what the model expects of its viewer: that is for the viewer alone."""
    items = []
    for item in receipt["items"]:
        about = {name: value for name, value in item["receipt"].items() if name not in PERSONAL}
        items.append(item | {"receipt": about})
    return receipt | {"items": items}


def looks(*, viewer_id: int, request_id: int) -> list[ReceiptLook]:
    """Who else looked at a page of this viewer, newest first."""
    return list(ReceiptLook.objects.filter(viewer_id=viewer_id, request_id=request_id).select_related("actor"))


def unpack(row: Receipt) -> dict[str, Any]:
    """The receipt as the API shows it."""
    stored, shared = codec.unpack(bytes(row.body)), row.settings.body
    receipt = {"tuning": {}} | stored["receipt"] | {name: shared[name] for name in SHARED}
    receipt["weights"] = dict(effective(shared["weights"], Tuning.of(receipt["tuning"])))
    tape = Tape.of(stored["tape"]) if stored["tape"] else None
    return receipt | {"dropped": build.entries(tape.fates, tape.columns["post_id"]) if tape else []}


def tape_of(row: Receipt) -> Tape:
    """What the load can be run again from. Raises NotFound when its posts failed altogether."""
    plain = codec.unpack(bytes(row.body))["tape"]
    if plain is None:
        raise NotFound(f"Page {row.request_id} found no posts; there is nothing to run again.")
    return Tape.of(plain)


def recent(*, viewer_id: int, limit: int = 20) -> list[Receipt]:
    """A viewer's newest receipts, without their bodies."""
    return list(Receipt.objects.filter(viewer_id=viewer_id).defer("body", "reach").order_by("-request_id")[:limit])
