"""Looking into attachments, and what follows for the posts that show them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from moderation.grox.media.attached import NOT_READ
from moderation.grox.media.reader import COMMAND, Reader
from moderation.grox.media.reading import Reading
from moderation.models import MediaReading, PostLabel
from moderation.services.blocklist import screen_pictures
from moderation.types import Label
from posts.models import Media, MediaFingerprint
from xsocial.kernel import clock, ids, redis

NEXT = "; "  # between the parts that were not scored
CLAIM_S = 150  # longer than the reader waits
SWEEP_AFTER = timedelta(seconds=60)  # younger ones are probably being read just now
SWEEP_BACK = timedelta(days=1)  # `grox_read_media` looks further


@lru_cache(maxsize=1)
def reader() -> Reader:
    """The reader of this process."""
    return Reader(command=(*COMMAND, *filter(None, [settings.GROX_ASR_MODEL])))


def read_media(media_id: int, *, again: bool = False) -> int | None:
    """Look into an attachment and store what was found; returns the post to judge anew, if one shows it.

    A file is read once, whoever asks and however many attachments share it, unless `again`; while one process
    reads it no other does.
    """
    media = Media.objects.filter(pk=media_id).select_related("reading").first()
    if media is None or (hasattr(media, "reading") and not again):
        return None
    with _claim(media_id) as is_mine:
        if not is_mine:
            return None
        return _store(media, (None if again else _read_before(media)) or _read(media))


def unread_media() -> QuerySet[Media]:
    """Recent attachments that nobody has looked into, oldest first."""
    oldest, youngest = (ids.id_at(clock.to_ms(clock.now() - ago)) for ago in (SWEEP_BACK, SWEEP_AFTER))
    return Media.objects.filter(reading=None, pk__gt=oldest, pk__lte=youngest).order_by("pk")


def waiting_in_vain() -> list[int]:
    """Posts that say their media were not read although they were: two workers crossed."""
    unread = Media.objects.filter(post_id=OuterRef("post_id"), reading=None)
    rows = PostLabel.objects.filter(
        ~Exists(unread),
        label=Label.GROK_NOT_SCORED,
        lifted_at=None,
        evidence__reason=NOT_READ,
        applied_at__lt=clock.now() - SWEEP_AFTER,
    )
    return list(rows.order_by("post_id").values_list("post_id", flat=True))


def _read_before(media: Media) -> Reading | None:
    """What was found in the same file, if another attachment shares it. An upload's own file is named after it."""
    if str(media.pk) in str(media.file.name):
        return None
    row = MediaReading.objects.filter(media__file=media.file.name).first()
    if row is None:
        return None
    seen = MediaFingerprint.objects.filter(media=row.media_id).values_list("at_ms", "bits")
    return Reading(
        writing=row.writing,
        transcript=row.transcript,
        nudity=row.nudity,
        not_scored=tuple(filter(None, row.not_scored.split(NEXT))),
        versions=row.versions,
        fingerprints=tuple(seen),
    )


def _read(media: Media) -> Reading:
    """Hand a copy to the reader: storages need not be folders."""
    with tempfile.NamedTemporaryFile(suffix=Path(str(media.file.name)).suffix) as copy:
        with media.file.open("rb") as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        return reader().read(Path(copy.name), media.kind)


@transaction.atomic
def _store(media: Media, found: Reading) -> int | None:
    """Write a reading. The lock decides who tells the post: we, or the one who shows the attachment next."""
    current = Media.objects.select_for_update().filter(pk=media.pk).first()
    if current is None:
        return None
    MediaReading.objects.update_or_create(
        media=current,
        defaults={
            "writing": found.writing,
            "transcript": found.transcript,
            "nudity": found.nudity,
            "not_scored": NEXT.join(found.not_scored)[:200],
            "versions": found.versions,
            "milliseconds": found.milliseconds,
            "created_at": clock.now(),
        },
    )
    MediaFingerprint.objects.bulk_create(
        (MediaFingerprint(media=current, at_ms=at_ms, bits=bits) for at_ms, bits in found.fingerprints),
        ignore_conflicts=True,
    )
    if current.post_id:
        screen_pictures(current.post_id)
    return current.post_id


@contextmanager
def _claim(media_id: int) -> Iterator[bool]:
    """Whether nobody else is reading the file. Without the store it may be read twice, which does no harm."""
    key = f"grox:reading:{media_id}"
    try:
        is_mine = bool(redis.client("cache").set(key, b"1", nx=True, ex=CLAIM_S))
    except redis.RedisError:
        is_mine = True
    try:
        yield is_mine
    finally:
        if is_mine:
            _release(key)


def _release(key: str) -> None:
    try:
        redis.client("cache").delete(key)
    except redis.RedisError:
        return  # it ends by itself
