"""The moderation app."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """Nothing to set up when Django starts."""

    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"
