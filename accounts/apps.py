from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A new password signs others out; one chosen by mail also opens a locked door."""
        from allauth.account.signals import password_changed, password_reset

        from accounts import receivers

        password_reset.connect(receivers.start_afresh, dispatch_uid="accounts.start_afresh")
        password_changed.connect(receivers.end_other_sessions, dispatch_uid="accounts.end_other_sessions")
