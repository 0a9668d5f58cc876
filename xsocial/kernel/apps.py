"""The kernel as a Django app: it owns one table, the outbox, and sets up logging."""

from django.apps import AppConfig


class KernelConfig(AppConfig):
    """Configures structured logs once the settings are known."""

    name = "xsocial.kernel"
    label = "kernel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from xsocial.kernel import logging

        logging.configure()
