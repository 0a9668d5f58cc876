"""What others did that concerns the viewer, grouped, and read once it has been shown."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse

from accounts.cards import PersonCard, person_card
from accounts.models import FollowRequest
from posts import selectors, services
from posts.models.notification import NotificationKind
from posts.selectors.notifications import NotificationGroup
from posts.views.lists import cursor_of, is_continuation, next_page, show
from xsocial.kernel.pages import PageRequest, signed_in

MAX_FACES = 8
EXCERPT = 200
# Words after the name, and the icon beside it.
LINES = {
    NotificationKind.MENTION: ("mentioned you", "reply"),
    NotificationKind.REPLY: ("replied to you", "reply"),
    NotificationKind.FAVORITE: ("liked your post", "like"),
    NotificationKind.REPOST: ("reposted your post", "repost"),
    NotificationKind.QUOTE: ("quoted your post", "quote"),
    NotificationKind.FOLLOW: ("followed you", "person-plus"),
    NotificationKind.FOLLOW_REQUEST: ("wants to follow you", "person-plus"),
    NotificationKind.FOLLOW_ACCEPTED: ("accepted your request to follow", "check"),
    NotificationKind.NEW_POST: ("wrote a post", "bell"),
    NotificationKind.EDITED: ("edited a post you know", "pen"),
    NotificationKind.POLL: ("asked a poll that has ended", "poll"),
    NotificationKind.MODERATION: ("has a message about your post", "shield"),
}
STYLES = {NotificationKind.FAVORITE: "favorite", NotificationKind.REPOST: "repost"}
MENTIONS = [NotificationKind.MENTION, NotificationKind.REPLY, NotificationKind.QUOTE]


@dataclass(frozen=True)
class AboutPost:
    url: str
    excerpt: str


@dataclass(frozen=True)
class NotificationCard:
    """One line of the page, for one or several actors."""

    words: str
    picture: str
    style: str
    actors: list[PersonCard]
    num_others: int
    created_at: datetime
    is_new: bool
    is_request: bool
    post: AboutPost | None


@signed_in
def notifications(request: PageRequest) -> HttpResponse:
    only_mentions = request.GET.get("only") == "mentions"
    rows = selectors.notifications(request.user, cursor_of(request), kinds=MENTIONS if only_mentions else ())
    context = {
        "notifications": [_card(group) for group in selectors.grouped(rows)],
        "next_url": next_page(request, [row.pk for row in rows]),
        "is_more": is_continuation(request),
        "only_mentions": only_mentions,
        "num_requests": FollowRequest.objects.filter(target=request.user).count(),
    }
    if rows and not is_continuation(request):
        services.mark_notifications_read(user=request.user, up_to_id=rows[0].pk)
    return show(request, "posts/notifications.html", "posts/_notifications.html", context)


def _card(group: NotificationGroup) -> NotificationCard:
    latest = group.latest
    words, picture = LINES[latest.kind]
    people = {actor.pk: actor for actor in group.actors}
    return NotificationCard(
        words=words,
        picture=picture,
        style=STYLES.get(latest.kind, "other"),
        actors=[person_card(actor) for actor in list(people.values())[:MAX_FACES]],
        num_others=len(people) - 1,
        created_at=latest.created_at,
        is_new=any(row.read_at is None for row in group.notifications),
        is_request=latest.kind == NotificationKind.FOLLOW_REQUEST,
        post=_about(latest.post) if latest.post else None,
    )


def _about(post) -> AboutPost:
    text = post.spoiler_text or post.text or "A picture"
    return AboutPost(f"/@{post.author.username}/{post.pk}", text[:EXCERPT])
