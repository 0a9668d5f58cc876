"""How a person wants their feed."""

from django.conf import settings
from django.db import models

from xsocial.kernel import clock


class FeedPreferences(models.Model):
    """One row per person; a missing row means all defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="feed_preferences",
    )
    allows_recommendations = models.BooleanField(default=True, help_text="Off: For You shows only accounts I follow.")
    shows_unscreened = models.BooleanField(default=False, help_text="Recommend posts that have not been screened yet.")
    shows_sensitive = models.BooleanField(default=False)
    hides_videos = models.BooleanField(default=False)
    autoplays_video = models.BooleanField(default=False)
    personalises_ads = models.BooleanField(default=True)
    languages = models.JSONField(default=list, blank=True, help_text="Empty: any language.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feed preferences"

    def __str__(self) -> str:
        return f"Preferences of {self.user_id}"


class MutedKeyword(models.Model):
    """A word or phrase whose posts are left out until `expires_at`."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="muted_keywords",
        db_index=False,
    )
    phrase = models.CharField(max_length=100)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "phrase"], name="accounts_muted_keyword_unique")]

    def __str__(self) -> str:
        return self.phrase
