"""Attachments: uploaded first, attached by `create_post`, swept away when they never were."""

import io
from datetime import timedelta
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from PIL import Image

from accounts.models import User
from posts import events
from posts.models import Media, MediaFingerprint
from posts.services import video
from posts.types import MediaKind
from xsocial.kernel import clock, event_log, fingerprints, images, plaintext
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

ALT_MAX_LENGTH = 1500
PREVIEW_SIDE = 640
#: How long an upload waits in the composer.
ORPHANS_KEPT_FOR = timedelta(hours=24)
SWEEP_BATCH = 500


def upload_media(*, owner: User, file: BinaryIO, alt_text: str = "") -> Media:
    """Store a picture or video, judged by its content and never by its name.

    Raises Invalid when it is too large, too long, broken or something else in disguise.
    """
    alt_text = _checked_alt(alt_text)
    if not owner.is_reachable:
        raise NotAllowed("Your account cannot post at the moment.")
    file.seek(0)
    head = file.read(16)
    if video.looks_like_video(head):
        return _store_video(owner, file, alt_text)
    return _store_image(owner, file, alt_text)


@transaction.atomic
def describe_media(*, owner: User, media_id: int, alt_text: str) -> Media:
    """Set the description of an own upload. Raises NotFound for another's."""
    media = Media.objects.select_for_update().filter(owner=owner, pk=media_id).first()
    if media is None:
        raise NotFound("This attachment does not exist.")
    media.alt_text = _checked_alt(alt_text)
    media.save(update_fields=["alt_text"])
    return media


def delete_stale_media() -> int:
    """Delete a batch of attachments that no post shows; returns how many.

    Those of deleted posts, and uploads that nobody attached in time. Rows go only after their
    files, so a killed run is finished by the next.
    """
    forgotten = Q(post=None, scheduled=None, created_at__lt=clock.now() - ORPHANS_KEPT_FOR)
    stale = list(Media.objects.filter(forgotten | Q(post__deleted_at__isnull=False))[:SWEEP_BATCH])
    return sum(_delete_if_stale(media.pk, forgotten) for media in stale)


@transaction.atomic
def _delete_if_stale(media_id: int, forgotten: Q) -> bool:
    """Check again under the row's lock, which attaching takes too."""
    rows = Media.objects.select_for_update(of=("self",)).filter(pk=media_id)
    media = rows.filter(forgotten | Q(post__deleted_at__isnull=False)).first()
    if media is None:
        return False
    for field in (media.file, media.preview):
        if field:
            field.storage.delete(str(field.name))
    media.delete()
    return True


def _checked_alt(alt_text: str) -> str:
    cleaned = plaintext.clean(alt_text)
    if len(cleaned) > ALT_MAX_LENGTH:
        raise Invalid(f"A description has at most {ALT_MAX_LENGTH} characters.", extra={"field": "alt_text"})
    return cleaned


def _store_image(owner: User, file: BinaryIO, alt_text: str) -> Media:
    picture = images.reencode(file)
    media = Media(
        owner=owner,
        kind=MediaKind.IMAGE,
        alt_text=alt_text,
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
        content_type=picture.content_type,
    )
    preview = images.shrunk(picture, PREVIEW_SIDE)
    return _saved(media, picture.data, picture.extension, preview, Image.open(io.BytesIO(picture.data)))


def _store_video(owner: User, file: BinaryIO, alt_text: str) -> Media:
    images.check_size(file, video.MAX_BYTES)
    clip = video.clean(file)
    poster = images.encode(images.fitted(clip.poster, PREVIEW_SIDE), is_photo=True)
    media = Media(
        owner=owner,
        kind=MediaKind.VIDEO,
        alt_text=alt_text,
        width=clip.width,
        height=clip.height,
        duration_ms=clip.duration_ms,
        blurhash=poster.blurhash,
        content_type=clip.content_type,
    )
    return _saved(media, clip.data, clip.extension, poster, clip.poster)


def _saved(
    media: Media, data: bytes, extension: str, preview: images.EncodedImage, first_picture: Image.Image
) -> Media:
    media.file.save(f"{media.pk}.{extension}", ContentFile(data), save=False)
    media.preview.save(f"{media.pk}.{preview.extension}", ContentFile(preview.data), save=False)
    bits = fingerprints.fingerprint(first_picture)
    with transaction.atomic():
        media.save(force_insert=True)
        if bits:
            MediaFingerprint.objects.create(media=media, bits=bits)
        event_log.publish(
            events.MediaUploaded(media_id=media.pk, owner_id=media.owner_id, kind=media.kind, at_ms=clock.now_ms())
        )
    return media
