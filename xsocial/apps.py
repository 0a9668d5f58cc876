"""The project as a Django app: it carries the commands that look at the whole."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    """Commands, and groups for operators; the project has no models."""

    name = "xsocial"
    label = "xsocial"

    def ready(self) -> None:
        """Make our Celery application the current one, so that `task.delay()` finds its broker."""
        import xsocial.celery  # noqa: F401
        from xsocial.groups import make_groups

        # After the last app, when all permissions are there.
        post_migrate.connect(make_groups, sender=apps.get_app_config(settings.LOCAL_APPS[-1]))
