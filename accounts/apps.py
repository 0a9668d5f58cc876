from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A password chosen anew by mail opens a locked door and signs apps out."""
        from allauth.account.signals import password_reset

        from accounts import receivers

        password_reset.connect(receivers.start_afresh, dispatch_uid="accounts.start_afresh")
