"""Silence: muted people and muted words, both with an optional end."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts import events
from accounts.models import Mute, MutedKeyword, User
from accounts.services.locks import lock_pair, lock_users
from accounts.services.preferences import announce_change
from xsocial.kernel import clock, event_log, plaintext
from xsocial.kernel.errors import Invalid, NotFound

PHRASE_MAX_LENGTH = 100
MAX_KEYWORDS = 200


@transaction.atomic
def mute(
    *,
    muter: User,
    muted: User,
    expires_at: datetime | None = None,
    hides_notifications: bool = True,
) -> None:
    """Mute an account, for good or until `expires_at`. Repeating it replaces the terms."""
    _check_ahead(expires_at)
    muter, muted = lock_pair(muter, muted)
    Mute.objects.update_or_create(
        muter=muter,
        muted=muted,
        defaults={"expires_at": expires_at, "hides_notifications": hides_notifications},
    )
    event_log.publish(
        events.Muted(
            muter_id=muter.pk,
            muted_id=muted.pk,
            expires_ms=clock.to_ms(expires_at) if expires_at else None,
            at_ms=clock.now_ms(),
        )
    )


@transaction.atomic
def unmute(*, muter: User, muted: User) -> None:
    deleted, _ = Mute.objects.filter(muter=muter, muted=muted).delete()
    if deleted:
        event_log.publish(events.Unmuted(muter_id=muter.pk, muted_id=muted.pk, at_ms=clock.now_ms()))


@transaction.atomic
def add_muted_keyword(*, user: User, phrase: str, expires_at: datetime | None = None) -> MutedKeyword:
    """Mute a word or phrase, without regard to case. Repeating it replaces the end."""
    _check_ahead(expires_at)
    phrase = plaintext.clean_line(phrase).casefold()
    if not phrase or len(phrase) > PHRASE_MAX_LENGTH:
        raise Invalid(f"Write 1 to {PHRASE_MAX_LENGTH} characters.", extra={"field": "phrase"})
    lock_users({user.pk})
    active = MutedKeyword.objects.filter(user=user).exclude(phrase=phrase)
    if active.count() >= MAX_KEYWORDS:
        raise Invalid(f"At most {MAX_KEYWORDS} words can be muted.", extra={"field": "phrase"})
    keyword, _ = MutedKeyword.objects.update_or_create(user=user, phrase=phrase, defaults={"expires_at": expires_at})
    announce_change(user)
    return keyword


@transaction.atomic
def remove_muted_keyword(*, user: User, keyword_id: int) -> None:
    """Raises NotFound for a keyword that is not this person's."""
    deleted, _ = MutedKeyword.objects.filter(user=user, pk=keyword_id).delete()
    if not deleted:
        raise NotFound("This word is not muted.")
    announce_change(user)


@transaction.atomic
def delete_expired_mutes() -> int:
    """Remove mutes and muted words past their end; they already count as absent."""
    over = Q(expires_at__lte=clock.now())
    mutes, _ = Mute.objects.filter(over).delete()
    keywords, _ = MutedKeyword.objects.filter(over).delete()
    return mutes + keywords


def _check_ahead(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid("The end must lie in the future.", extra={"field": "expires_at"})
