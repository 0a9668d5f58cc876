"""Polls: a post's question to its readers, and who has answered."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from posts.types import POLL_MAX_OPTIONS, POLL_OPTION_MAX_LENGTH
from xsocial.kernel import clock


class Poll(models.Model):
    """The options of a post and how many chose each, in the same order. `voters` counts people.

    What the options say is also in the post's `poll_text`, for whatever reads posts.
    """

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="poll")
    options = ArrayField(models.CharField(max_length=POLL_OPTION_MAX_LENGTH), size=POLL_MAX_OPTIONS)
    votes = ArrayField(models.PositiveIntegerField(), size=POLL_MAX_OPTIONS)
    voters = models.PositiveIntegerField(default=0)
    multiple = models.BooleanField(default=False)
    hides_totals = models.BooleanField(default=False)
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When people were told that it ended.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(options__len__gte=2, options__len__lte=POLL_MAX_OPTIONS), name="posts_poll_two_to_four"
            ),
            models.CheckConstraint(condition=Q(votes__len=F("options__len")), name="posts_poll_a_count_each"),
        ]
        indexes = [models.Index(fields=["ends_at"], condition=Q(closed_at=None), name="posts_poll_open")]

    def __str__(self) -> str:
        return f"Poll of {self.post_id}"


class Ballot(models.Model):
    """What one person chose: places in the list of options. Shown to nobody else."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="ballots", db_index=False)
    voter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    choices = ArrayField(models.PositiveSmallIntegerField(), size=POLL_MAX_OPTIONS)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["poll", "voter"], name="posts_ballot_once"),
            models.CheckConstraint(condition=Q(choices__len__gte=1), name="posts_ballot_not_empty"),
        ]

    def __str__(self) -> str:
        return f"Ballot for {self.poll_id}"
