"""allauth's doors in our words: signing up, signing in, and the mails it sends."""

from types import SimpleNamespace
from typing import Any

from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter

from accounts.models.user import validate_handle

SITE_NAME = "xsocial"
USERNAME_VALIDATORS = [validate_handle]


class AccountAdapter(DefaultAccountAdapter):
    """Names this site by its name, and a reserved handle as what it is."""

    error_messages = {**DefaultAccountAdapter.error_messages, "username_blacklisted": "This name is reserved."}

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        host = self.request.get_host() if self.request else ""
        site = SimpleNamespace(name=SITE_NAME, domain=host)
        super().send_mail(template_prefix, email, {**context, "current_site": site})


class _Plain:
    """A form whose labels say all: placeholders that repeat them go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Username or email"
        self.fields["remember"].label = "Stay signed in"


class SignupForm(_Plain, forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and underscores. Others find you by it."
        self.fields["password1"].help_text = "At least 8 characters, and not one that everybody uses."
        self.fields["password2"].label = "The same password again"


class ResetPasswordForm(_Plain, forms.ResetPasswordForm):
    pass
