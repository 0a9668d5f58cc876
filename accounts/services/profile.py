"""The public profile: words, switches and the two pictures."""

from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import ImageFieldFile

from accounts import events
from accounts.models import User
from accounts.services.follows import accept_waiting
from accounts.services.locks import lock_users
from xsocial.kernel import clock, event_log, ids, images, plaintext
from xsocial.kernel.errors import Invalid, NotFound

FIELDS = frozenset(
    {
        "display_name",
        "bio",
        "website",
        "location",
        "language",
        "country_code",
        "time_zone",
        "birth_year",
        "gender",
        "is_locked",
        "is_bot",
        "offers_subscriptions",
        "is_adult_author",
    }
)
AVATAR_SIZE = (400, 400)
HEADER_SIZE = (1500, 500)


def update_profile(
    *,
    user: User,
    avatar: BinaryIO | None = None,
    header: BinaryIO | None = None,
    removes_avatar: bool = False,
    removes_header: bool = False,
    **changes: Any,
) -> User:
    """Change the named fields (see FIELDS) and pictures; what is not named stays.

    Whoever waits to follow an account that approves followers no more, follows it. Returns the stored
    account. Raises Invalid with the messages per field in `extra`.
    """
    unknown = changes.keys() - FIELDS
    if unknown:
        raise Invalid(f"Unknown field: {', '.join(sorted(unknown))}.")
    # Decoding is slow, so it comes before the lock.
    pictures = {
        "avatar": images.reencode(avatar, crop_to=AVATAR_SIZE) if avatar else None,
        "header": images.reencode(header, crop_to=HEADER_SIZE) if header else None,
    }
    removed = {"avatar": removes_avatar, "header": removes_header}
    with transaction.atomic():
        stored = _locked(user)
        was_locked = stored.is_locked
        _apply(stored, changes)
        touched = [name for name in pictures if _replace(stored, name, pictures[name], removed[name])]
        stored.save(update_fields=[*changes, *touched])
        event_log.publish(events.ProfileUpdated(user_id=stored.pk, at_ms=clock.now_ms()))
    if was_locked and not stored.is_locked:
        accept_waiting(target=stored)
    return stored


def _locked(user: User) -> User:
    stored = lock_users({user.pk}).get(user.pk)
    if stored is None:
        raise NotFound("This account no longer exists.")
    return stored


def _apply(user: User, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(user, name, _cleaned(name, value))
    try:
        user.clean_fields(exclude={field.name for field in User._meta.fields} - changes.keys())
    except ValidationError as error:
        raise Invalid(extra=error.message_dict) from error


def _cleaned(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return plaintext.clean(value) if name == "bio" else plaintext.clean_line(value)


def delete_on_commit(field: ImageFieldFile) -> None:
    """Delete the file that a field holds now, once the transaction is certain."""
    name, storage = str(field.name), field.storage
    transaction.on_commit(lambda: storage.delete(name))


def _replace(user: User, name: str, picture: images.EncodedImage | None, is_removed: bool) -> bool:
    """Put a new picture, or none, in place of the old; the old file goes once that is certain."""
    if picture is None and not is_removed:
        return False
    field: ImageFieldFile = getattr(user, name)
    if field:
        delete_on_commit(field)
    if picture is None:
        setattr(user, name, "")
    else:
        # A fresh name each time, so that caches never show the old picture.
        field.save(
            f"{ids.next_id()}.{picture.extension}",
            ContentFile(picture.data),
            save=False,
        )
    return True
