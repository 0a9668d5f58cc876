"""The kernel as a Django app: it owns one table, the outbox, and sets up logging and addresses."""

from django.apps import AppConfig
from django.urls import register_converter


class KernelConfig(AppConfig):
    """Configures structured logs and our part of addresses once the settings are known."""

    name = "xsocial.kernel"
    label = "kernel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from xsocial.kernel import addresses, logging

        logging.configure()
        register_converter(addresses.IdConverter, "id")
