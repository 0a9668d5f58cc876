"""What the frame of every page asks about the viewer's posts."""

from django import template

from posts.models import Notification

register = template.Library()

MOST_SHOWN = 99


@register.simple_tag(takes_context=True)
def unread_notifications(context: template.Context) -> str:
    """How many notifications wait, for the badge; empty when none do."""
    user = context["request"].user if "request" in context else None
    if user is None or not user.is_authenticated:
        return ""
    unread = Notification.objects.filter(recipient=user, read_at=None)[: MOST_SHOWN + 1].count()
    return f"{MOST_SHOWN}+" if unread > MOST_SHOWN else str(unread or "")
