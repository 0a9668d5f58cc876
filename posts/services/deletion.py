"""Deleting posts. The row stays, emptied, so that the thread around it keeps its shape."""

from django.db import transaction

from accounts.models import User
from accounts.selectors.rights import has_right
from posts import events
from posts.models import (
    Bookmark,
    Engagement,
    Mention,
    Notification,
    Pin,
    Poll,
    Post,
    PostEdit,
    PostEmbedding,
    PostTag,
    PostTopic,
)
from posts.selectors.visible import get_visible_post
from posts.services import counters
from posts.services.log import announce_undone
from posts.types import EngagementKind
from xsocial.kernel import clock, event_log
from xsocial.kernel.errors import NotAllowed, NotFound

# What hangs on a post and must not outlive it. Attachments follow by task: files are slow to
# delete and cannot be brought back by a rollback.
_DEPENDENTS = (Bookmark, Mention, Notification, Pin, PostEdit, PostEmbedding, PostTag, PostTopic)


@transaction.atomic
def delete_post(*, actor: User, post: Post) -> None:
    """Delete a post of one's own, or any post as staff. Its reposts go with it.

    Raises NotFound for a post that is gone or hidden from the actor, NotAllowed for another's.
    """
    locked = counters.lock_posts({i for i in (post.pk, post.in_reply_to_id, post.quote_of_id, post.repost_of_id) if i})
    current = locked.get(post.pk)
    if current is None or current.is_deleted:
        raise NotFound("This post was deleted already.")
    _check_may_delete(actor, current)
    if current.repost_of_id:
        retire_reposts(locked[current.repost_of_id], by=current.author)
        _unlog_making(current)
        return
    retire_reposts(current)
    _empty(current)
    _uncount(current, locked)
    counters.add_to_posts_count([current.author_id], -1)
    _announce(current)


def retire_reposts(original: Post, by: User | None = None) -> int:
    """Delete the reposts of a locked post, all or one person's; returns how many."""
    reposts = Post.objects.filter(repost_of=original, deleted_at=None)
    rows = list(reposts.filter(author=by) if by else reposts)
    if not rows:
        return 0
    Post.objects.filter(pk__in=[row.pk for row in rows]).update(deleted_at=clock.now())
    counters.add(original.pk, reposts=-len(rows))
    counters.add_to_posts_count([row.author_id for row in rows], -1)
    for row in rows:
        _announce(row)
    return len(rows)


def _check_may_delete(actor: User, post: Post) -> None:
    if actor.pk == post.author_id or has_right(actor, "posts.delete_post"):
        return
    get_visible_post(actor, post.pk)
    raise NotAllowed("Only its author may delete a post.")


def _empty(post: Post) -> None:
    post.deleted_at = clock.now()
    if post.poll_text:
        Poll.objects.filter(post=post).delete()
    post.text = post.spoiler_text = post.poll_text = post.application = ""
    post.has_media, post.video_duration_ms = False, None
    emptied = ["text", "spoiler_text", "poll_text", "application", "has_media", "video_duration_ms"]
    post.save(update_fields=["deleted_at", *emptied])
    for model in _DEPENDENTS:
        model.objects.filter(post=post).delete()


def _uncount(post: Post, locked: dict[int, Post]) -> None:
    """Undo what the post was to its parent and to the post it quotes."""
    if post.in_reply_to_id in locked:
        counters.add(post.in_reply_to_id, replies=-1)
    if post.quote_of_id in locked:
        counters.add(post.quote_of_id, quotes=-1)
    _unlog_making(post)


def _unlog_making(post: Post) -> None:
    """Take the actions back that consisted in making this post."""
    made = Engagement.objects.filter(made_post_id=post.pk).select_related("post")
    for engagement in made:
        announce_undone(user_id=engagement.user_id, post=engagement.post, kind=EngagementKind(engagement.kind))
    made.delete()


def _announce(post: Post) -> None:
    event_log.publish(
        events.PostDeleted(
            post_id=post.pk,
            author_id=post.author_id,
            created_ms=clock.to_ms(post.created_at),
            repost_of_id=post.repost_of_id,
        )
    )
