"""The project as a Django app: it carries the commands that look at the whole."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Commands only; the project has no models."""

    name = "xsocial"
    label = "xsocial"

    def ready(self) -> None:
        """Make our Celery application the current one, so that `task.delay()` finds its broker."""
        import xsocial.celery  # noqa: F401
