"""Remembering how far somebody has read."""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import User
from accounts.services.locks import lock_users
from posts.models import Marker
from posts.models.marker import MarkedTimeline
from posts.services.notifications import mark_notifications_read
from xsocial.kernel import clock


@transaction.atomic
def mark_read(*, user: User, last_read: Mapping[str, int]) -> list[Marker]:
    """Set the markers of these timelines; notifications up to theirs count as read on every device."""
    lock_users({user.pk})
    known = {marker.timeline: marker for marker in Marker.objects.filter(user=user, timeline__in=last_read)}
    changed = []
    for timeline, last_read_id in last_read.items():
        marker = known.get(timeline) or Marker(user=user, timeline=timeline, version=0)
        marker.last_read_id, marker.updated_at = last_read_id, clock.now()
        marker.version += 1
        marker.save()
        changed.append(marker)
    if MarkedTimeline.NOTIFICATIONS in last_read:
        mark_notifications_read(user=user, up_to_id=last_read[MarkedTimeline.NOTIFICATIONS])
    return changed
