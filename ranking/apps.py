from django.apps import AppConfig


class RankingConfig(AppConfig):
    """Phoenix: candidate retrieval and ranking."""

    name = "ranking"
    default_auto_field = "django.db.models.BigAutoField"
