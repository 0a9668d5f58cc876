"""allauth's doors in our words: signing up, signing in, the second factor, and the mails it sends."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import structlog
from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.utils import filter_users_by_email, filter_users_by_username
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp.forms import ActivateTOTPForm as BaseActivateTOTPForm
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.models.user import validate_handle

logger = structlog.get_logger(__name__)

SITE_NAME = "xsocial"
PASSWORD_HELP = "At least 8 characters, and not one that everybody uses."
# The page asks for nothing else, and phones show the keys for it.
DIGITS = {"autofocus": True, "inputmode": "numeric"}
USERNAME_VALIDATORS = [validate_handle]


# What a row of Axes has room for.
LONGEST_NAME = 255
TOO_MANY_TRIES = "Those were too many wrong tries. Wait a few minutes, then try again."
WRONG_CODE = "This code is wrong, or its time is over. Enter the one that the app shows now."


class AccountAdapter(DefaultAccountAdapter):
    """Names this site by its name, and what went wrong as what it is."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "duplicate_email": "This is your address already.",
        "email_password_mismatch": "No account has this address and this password.",
        "email_taken": "An account with this address exists.",
        "enter_current_password": "This is not your password.",
        "incorrect_code": WRONG_CODE,
        "incorrect_password": "This is not your password.",
        "too_many_login_attempts": TOO_MANY_TRIES,
        "username_blacklisted": "This name is reserved.",
        "username_password_mismatch": "No account has this name and this password.",
        "username_taken": "This name is taken.",
    }

    def format_email_subject(self, subject: str) -> str:
        """In the case of a sentence, not of a headline."""
        return super().format_email_subject(subject.strip().capitalize())

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Whoever comes back to a closed account is shown how to take it back."""
        if getattr(request.user, "closes_at", None):
            return reverse("people:settings_account")
        return super().get_login_redirect_url(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("people:settings")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        host = self.request.get_host() if self.request else ""
        site = SimpleNamespace(name=SITE_NAME, domain=host)
        super().send_mail(template_prefix, email, {**context, "current_site": site})


def tell_of_closing(request: HttpRequest, user: User, closes_at: datetime) -> None:
    """Mail the owner of an account when it will be erased, and how to take that back.

    It is closed by now, so mail that cannot be sent is logged; signing in shows the same words.
    """
    address = request.build_absolute_uri(reverse("account_login"))
    days = settings.ACCOUNT_GRACE_DAYS
    context = {"user": user, "closes_at": closes_at, "days": days, "login_url": address}
    try:
        get_adapter(request).send_notification_mail("account/email/account_closing", user, context)
    except OSError as error:  # what smtplib raises, too
        logger.warning("accounts.mail_failed", mail="account_closing", user_id=user.pk, error=str(error))


class MFAAdapter(DefaultMFAAdapter):
    """The same for the second factor."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": "Turn two-factor authentication off first, and on again with the new address confirmed.",
        "incorrect_code": WRONG_CODE,
        "unverified_email": "Confirm your email address first; two-factor authentication needs one to fall back on.",
    }


def account_tried(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Whose door a wrong password knocked at, the same by name or address and in any case: lock-out counts by it."""
    given = credentials or request.POST
    login = str(given.get("email") or given.get("username") or given.get("login") or "")
    user = filter_users_by_username(login).first() or next(iter(filter_users_by_email(login)), None)
    return user.username if user else login.lower()[:LONGEST_NAME]


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
        self.fields["password1"].help_text = PASSWORD_HELP
        self.fields["password2"].label = "The same password again"


class ResetPasswordForm(_Plain, forms.ResetPasswordForm):
    pass


class AddEmailForm(_Plain, forms.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New address"


class _NewPassword(_Plain):
    """A form that asks for a new password twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = "New password"
        self.fields["password1"].help_text = PASSWORD_HELP
        self.fields["password2"].label = "The same password again"


class ChangePasswordForm(_NewPassword, forms.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "Your password now"


class ResetPasswordKeyForm(_NewPassword, forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(_Plain, forms.ReauthenticateForm):
    pass


class _Code(_Plain):
    """A form that asks for a code: of the app, or one of those for recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code of your authenticator app, or a recovery code"
        self.fields["code"].widget.attrs |= DIGITS


class AuthenticateForm(_Code, mfa_forms.AuthenticateForm):
    pass


class ReauthenticateByCodeForm(_Code, mfa_forms.ReauthenticateForm):
    pass


class ActivateTOTPForm(_Plain, BaseActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code that the app shows"
        self.fields["code"].widget.attrs |= DIGITS
