"""How a person wants the feed."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import events
from accounts.models import FeedPreferences, User
from xsocial.kernel import clock, event_log
from xsocial.kernel.errors import Invalid

PREFERENCES = frozenset(
    {
        "allows_recommendations",
        "shows_unscreened",
        "shows_sensitive",
        "hides_videos",
        "autoplays_video",
        "personalises_ads",
        "languages",
    }
)
MAX_LANGUAGES = 20


@transaction.atomic
def set_preferences(*, user: User, **changes: Any) -> FeedPreferences:
    """Change the named preferences, leave the others. Raises Invalid for an unknown one."""
    unknown = changes.keys() - PREFERENCES
    if unknown:
        raise Invalid(f"Unknown preference: {', '.join(sorted(unknown))}.")
    _check_languages(changes.get("languages", []))
    preferences, _ = FeedPreferences.objects.get_or_create(user=user)
    for name, value in changes.items():
        setattr(preferences, name, value)
    try:
        preferences.clean_fields()
    except ValidationError as error:
        raise Invalid(extra=error.message_dict) from error
    preferences.save()
    announce_change(user)
    return preferences


def announce_change(user: User) -> None:
    """Tell listeners that what they know of this person's wishes is stale."""
    event_log.publish(events.PreferencesChanged(user_id=user.pk, at_ms=clock.now_ms()))


def _check_languages(languages: Any) -> None:
    is_list = isinstance(languages, list) and len(languages) <= MAX_LANGUAGES
    if not is_list or not all(isinstance(code, str) and 2 <= len(code) <= 8 for code in languages):
        raise Invalid(
            "Languages are a short list of codes such as “en”.",
            extra={"field": "languages"},
        )
