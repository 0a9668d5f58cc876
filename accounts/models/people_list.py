"""Lists: some of the people one follows, to be read together."""

from django.conf import settings
from django.db import models

from accounts.models.graph import Follow
from accounts.types import RepliesPolicy
from xsocial.kernel import clock

TITLE_MAX_LENGTH = 100
REPLIES_POLICIES = [(policy.value, policy.name.title()) for policy in RepliesPolicy]


class PeopleList(models.Model):
    """One list, known to its owner alone."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="people_lists")
    title = models.CharField(max_length=TITLE_MAX_LENGTH)
    replies_policy = models.CharField(
        max_length=10,
        choices=REPLIES_POLICIES,
        default=RepliesPolicy.LIST,
    )
    is_exclusive = models.BooleanField(default=False, help_text="Its people are left out of Following.")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.title}"


class ListMembership(models.Model):
    """Hangs on the follow, so that nobody is on a list of somebody who does not follow them."""

    people_list = models.ForeignKey(PeopleList, models.CASCADE, related_name="memberships", db_index=False)
    follow = models.ForeignKey(Follow, models.CASCADE, related_name="list_memberships")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["people_list", "follow"], name="accounts_list_member_unique")]

    def __str__(self) -> str:
        return f"{self.people_list_id}: {self.follow_id}"
