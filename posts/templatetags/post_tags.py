"""What the frame of every page asks about the viewer's posts."""

from django import template

from posts import selectors

register = template.Library()

MOST_SHOWN = 99


@register.simple_tag(takes_context=True)
def unread_notifications(context: template.Context) -> str:
    """How many notifications wait, for the badge; empty when none do."""
    request = context.get("request")
    if request is None or not request.user.is_authenticated:
        return ""
    if not hasattr(request, "unread_notifications"):
        # Asked by the side bar and by the bottom bar; counted once.
        request.unread_notifications = selectors.unread_count(request.user)
    unread = request.unread_notifications
    return f"{MOST_SHOWN}+" if unread > MOST_SHOWN else str(unread or "")
