"""Changing a post after the fact, with its earlier wordings kept."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from posts import events
from posts.models import Media, Post, PostEdit
from posts.models.notification import NotificationKind
from posts.selectors.visible import get_visible_post
from posts.services import counters
from posts.services import text as wording
from posts.services.creation import check_media, shortest_video_ms
from posts.services.notifications import MAX_FANOUT, notify
from posts.services.tagging import store_mentions, store_tags
from xsocial.kernel import clock, event_log, plaintext
from xsocial.kernel.errors import Invalid, NotAllowed


@transaction.atomic
def edit_post(
    *,
    editor: User,
    post: Post,
    text: str | None = None,
    spoiler_text: str | None = None,
    sensitive: bool | None = None,
    language: str | None = None,
    media: Sequence[Media] | None = None,
) -> Post:
    """Change what is given and leave the rest; an edit that changes nothing leaves no trace.

    Raises NotFound, NotAllowed for another's post or a repost, Invalid for bad content.
    """
    current = _locked_own(editor, post)
    before = list(current.media.all())
    after = before if media is None else _attachable(current, media)
    changes = {
        "text": plaintext.clean(text) if text is not None else current.text,
        "spoiler_text": plaintext.clean(spoiler_text) if spoiler_text is not None else current.spoiler_text,
        "sensitive": current.sensitive if sensitive is None else sensitive,
        "language": current.language if language is None else language,
    }
    _check({**changes, "poll_text": current.poll_text}, after)
    is_same_media = [item.pk for item in before] == [item.pk for item in after]
    if is_same_media and all(getattr(current, name) == value for name, value in changes.items()):
        return current
    edited_at = _keep_wording(current, before)
    if not is_same_media:
        _attach(current, after)
        events.media_attached.send(Post, post=current)
    _rewrite(current, changes, after, edited_at)
    events.rewritten.send(Post, post=current)
    return current


def _locked_own(editor: User, post: Post) -> Post:
    current = counters.lock_live_post(post.pk)
    if current.author_id != editor.pk:
        get_visible_post(editor, post.pk)
        raise NotAllowed("Only its author may edit a post.")
    if current.is_repost:
        raise NotAllowed("A repost has no words of its own to edit.")
    return current


def _attachable(post: Post, media: Sequence[Media]) -> list[Media]:
    """The given attachments, locked; each is the post's already or free and the author's."""
    wanted = [item.pk for item in media]
    rows = Media.objects.select_for_update().filter(pk__in=wanted, owner=post.author_id, scheduled=None).order_by("pk")
    found = {item.pk: item for item in rows if item.post_id in (None, post.pk)}
    if len(set(wanted)) != len(wanted) or found.keys() != set(wanted):
        raise Invalid("An attachment is missing, or was used already.", extra={"field": "media"})
    return [found[media_id] for media_id in wanted]


def _check(changes: dict, media: Sequence[Media]) -> None:
    wording.check_text(changes["text"], may_be_empty=bool(media))
    wording.check_spoiler(changes["spoiler_text"])
    wording.check_language(changes["language"])
    check_media(media)
    if media and changes["poll_text"]:
        raise Invalid("A post has pictures or a poll, not both.", extra={"field": "media"})


def _keep_wording(post: Post, media: Sequence[Media]) -> datetime:
    """Store the present wording; returns the moment at which it ends."""
    edit = PostEdit.objects.create(
        post=post,
        text=post.text,
        spoiler_text=post.spoiler_text,
        sensitive=post.sensitive,
        media_ids=[str(item.pk) for item in media],
        written_at=post.edited_at or post.created_at,
        replaced_at=clock.now(),
    )
    return edit.replaced_at


def _attach(post: Post, media: Sequence[Media]) -> None:
    """Detached pictures go back to their owner's composer, where the clean-up finds them."""
    Media.objects.filter(post=post).exclude(pk__in=[item.pk for item in media]).update(post=None)
    for position, item in enumerate(media):
        Media.objects.filter(pk=item.pk).update(post=post, position=position)


def _rewrite(post: Post, changes: dict, media: Sequence[Media], edited_at: datetime) -> None:
    for name, value in changes.items():
        setattr(post, name, value)
    post.edited_at = edited_at
    post.has_media, post.video_duration_ms = bool(media), shortest_video_ms(media)
    post.save(update_fields=[*changes, "edited_at", "has_media", "video_duration_ms"])
    newly_named = store_mentions(post)
    store_tags(post)
    notify([user.pk for user in newly_named], actor=post.author, kind=NotificationKind.MENTION, post=post)
    notify(_reposters(post), actor=post.author, kind=NotificationKind.EDITED, post=post)
    event_log.publish(
        events.PostEdited(
            post_id=post.pk,
            author_id=post.author_id,
            created_ms=clock.to_ms(post.created_at),
            edited_ms=clock.to_ms(edited_at),
        )
    )


def _reposters(post: Post) -> list[int]:
    """Those who passed the earlier wording on should know that it changed."""
    reposts = Post.objects.filter(repost_of=post, deleted_at=None).order_by("-pk")
    return list(reposts.values_list("author_id", flat=True)[:MAX_FANOUT])
