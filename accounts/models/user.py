"""The custom user: a person's account and public profile.

The primary key is a snowflake, so an account's age can be read from its id.
"""

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Upper

from xsocial.kernel import ids

USERNAME_MAX_LENGTH = 30
BIO_MAX_LENGTH = 500

validate_handle = RegexValidator(
    r"^[A-Za-z0-9_]+\Z",
    "Use letters, digits and underscores only.",
    code="invalid_handle",
)


class User(AbstractUser):
    """One account. `username` is the handle, unique without regard to case."""

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    username = models.CharField(
        max_length=USERNAME_MAX_LENGTH,
        validators=[ASCIIUsernameValidator(), validate_handle],
    )
    first_name = None
    last_name = None
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=50, blank=True)
    bio = models.CharField(max_length=BIO_MAX_LENGTH, blank=True)
    website = models.URLField(blank=True)
    location = models.CharField(max_length=60, blank=True)
    avatar = models.ImageField(upload_to="avatars/", blank=True)
    header = models.ImageField(upload_to="headers/", blank=True)

    language = models.CharField(max_length=8, default="en")
    country_code = models.CharField(max_length=2, blank=True)
    time_zone = models.CharField(max_length=40, default="UTC")
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    gender = models.CharField(max_length=20, blank=True, help_text="As declared; never inferred.")

    is_locked = models.BooleanField(default=False, help_text="Followers need approval.")
    is_bot = models.BooleanField(default=False)
    offers_subscriptions = models.BooleanField(
        default=False, db_default=False, help_text="People may subscribe; posts may be for subscribers only."
    )
    is_demo = models.BooleanField(default=False, help_text="Login printed by the demo.")
    is_adult_author = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(
        null=True, blank=True, help_text="When the account is erased, unless its owner comes back before."
    )
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    followers_count = models.PositiveIntegerField(default=0)
    following_count = models.PositiveIntegerField(default=0)
    posts_count = models.PositiveIntegerField(default=0)

    #: Set by the suggestions alone: how many of the people the viewer follows follow this account.
    num_mutuals: int

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["username"], name="accounts_user_username_exact"),
            # UPPER, because that is what `iexact` compiles to: the same index serves log-ins.
            models.UniqueConstraint(
                Upper("username"),
                name="accounts_user_username_unique",
                violation_error_message="This name is taken.",
            ),
            models.UniqueConstraint(
                Upper("email"),
                condition=~models.Q(email=""),
                name="accounts_user_email_unique",
                violation_error_message="An account with this address exists.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["erased_at"], condition=models.Q(erased_at__isnull=False), name="accounts_user_erased"
            ),
            models.Index(
                fields=["closes_at"], condition=models.Q(closes_at__isnull=False), name="accounts_user_closing"
            ),
            # People are searched by any part of either name; `icontains` compiles to UPPER(...).
            GinIndex(
                OpClass(Upper("username"), "gin_trgm_ops"),
                name="accounts_user_username_trgm",
            ),
            GinIndex(
                OpClass(Upper("display_name"), "gin_trgm_ops"),
                name="accounts_user_name_trgm",
            ),
        ]

    @property
    def name(self) -> str:
        """What people call the account: the display name, else the handle."""
        return self.display_name or self.username

    @property
    def is_reachable(self) -> bool:
        """Whether profile and posts are shown at all."""
        return self.is_active and self.suspended_at is None and self.deactivated_at is None

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
