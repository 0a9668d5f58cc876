"""Writing one line of the engagement log, with its event."""

from accounts.models import User
from posts import events
from posts.models import Engagement, Post
from posts.types import EngagementKind, Surface
from xsocial.kernel import clock, event_log, sql


def log_engagement(
    *,
    user: User,
    post: Post,
    kind: EngagementKind,
    surface: Surface = Surface.UNSPECIFIED,
    seconds: float | None = None,
    request_id: int | None = None,
    made_post_id: int | None = None,
) -> None:
    """Store the action and announce it. The caller has checked that it may happen."""
    now = clock.now()
    engagement = Engagement(
        user=user,
        post=post,
        author_id=post.author_id,
        kind=kind,
        surface=surface,
        seconds=seconds,
        request_id=request_id,
        made_post_id=made_post_id,
        created_at=now,
    )
    sql.insert([engagement])
    event_log.publish(
        events.Engaged(
            user_id=user.pk,
            post_id=post.pk,
            author_id=post.author_id,
            kind=int(kind),
            at_ms=clock.to_ms(now),
            surface=int(surface),
            seconds=seconds,
        )
    )


def unlog_engagement(*, user: User, post: Post, kind: EngagementKind) -> bool:
    """Take back an action that exists at most once. Says whether there was one."""
    deleted, _ = Engagement.objects.filter(user=user, post=post, kind=kind).delete()
    if deleted:
        announce_undone(user_id=user.pk, post=post, kind=kind)
    return bool(deleted)


def announce_undone(*, user_id: int, post: Post, kind: EngagementKind) -> None:
    event_log.publish(
        events.EngagementUndone(
            user_id=user_id,
            post_id=post.pk,
            author_id=post.author_id,
            kind=int(kind),
            at_ms=clock.now_ms(),
        )
    )
