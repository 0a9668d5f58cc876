"""Writing posts, replies and quotes.

Checks that need no other row come first; those about other rows are made under the locks that
keep them true until the commit.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction

from accounts.models import User
from posts import events
from posts.models import Media, Post, PostCounts
from posts.selectors.visible import OPEN, visible_to
from posts.services import counters, idempotency
from posts.services import text as wording
from posts.services.log import log_engagement
from posts.services.notifications import notify_of_post
from posts.services.polls import check_poll, store_poll
from posts.services.tagging import store_mentions, store_tags
from posts.types import MAX_MEDIA_PER_POST, EngagementKind, MediaKind, PollDraft, Surface, Visibility
from xsocial.kernel import clock, event_log, ids, plaintext, sql
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed, NotFound


@dataclass(frozen=True)
class Draft:
    """What was asked for; see `draft_of`."""

    author: User
    text: str
    spoiler_text: str
    sensitive: bool
    language: str
    visibility: Visibility
    subscribers_only: bool
    parent_id: int | None
    quoted_id: int | None
    media_ids: tuple[int, ...]
    application: str
    poll: PollDraft | None = None

    def content(self) -> dict[str, object]:
        """What makes two requests the same request."""
        values = {name: value for name, value in vars(self).items() if name not in ("author", "application", "poll")}
        return values | ({"poll": asdict(self.poll)} if self.poll else {})


def create_post(
    *, author: User, idempotency_key: str = "", surface: Surface = Surface.UNSPECIFIED, **content: Any
) -> Post:
    """Publish a post of this content, see `draft_of`; replying to or quoting a repost means its original.

    With an `idempotency_key`, a repeated request returns the first one's post, and one with
    other content raises Conflict. Raises Invalid for bad content, NotFound for a parent or quote
    that is deleted or hidden from the author, NotAllowed for a post that may not be quoted.
    """
    draft = draft_of(author=author, **content)
    with transaction.atomic():
        post_id = ids.next_id()
        if idempotency_key:
            first_id = idempotency.claim(author, idempotency_key, draft.content(), post_id)
            if first_id != post_id:
                return _first(first_id)
        return publish(draft, post_id, surface)


def draft_of(
    *,
    author: User,
    text: str = "",
    in_reply_to: Post | None = None,
    quote_of: Post | None = None,
    media: Sequence[Media] = (),
    poll: PollDraft | None = None,
    spoiler_text: str = "",
    sensitive: bool = False,
    language: str = "",
    visibility: str = Visibility.PUBLIC,
    subscribers_only: bool = False,
    application: str = "",
) -> Draft:
    """What a post is made of, cleaned and checked as far as it can be alone."""
    draft = Draft(
        author=author,
        text=plaintext.clean(text),
        spoiler_text=plaintext.clean(spoiler_text),
        sensitive=sensitive,
        language=language,
        visibility=_visibility(visibility),
        subscribers_only=subscribers_only,
        parent_id=_original_id(in_reply_to),
        quoted_id=_original_id(quote_of),
        media_ids=tuple(item.pk for item in media),
        application=application[:80],
        poll=poll and replace(poll, options=tuple(plaintext.clean(option) for option in poll.options)),
    )
    check_draft(draft)
    return draft


def publish(draft: Draft, post_id: int, surface: Surface, *, scheduled_id: int | None = None) -> Post:
    """Store a checked draft with all that follows from it; inside the caller's transaction.

    `scheduled_id` says which waiting post keeps its attachments.
    """
    parent, quoted = locked_context(draft)
    media = claimed_media(draft, scheduled_id)
    post = _stored(draft, post_id, parent, media)
    Media.objects.bulk_update(_placed(media, post), ["post", "position"])
    if media:
        events.media_attached.send(Post, post=post)
    mentioned = store_mentions(post, is_new=True)
    store_tags(post, is_new=True)
    counters.add_to_posts_count([draft.author.pk], 1)
    if parent:
        counters.add(parent.pk, replies=1)
        _log_making(post, parent, EngagementKind.REPLY, surface)
    if quoted:
        counters.add(quoted.pk, quotes=1)
        _log_making(post, quoted, EngagementKind.QUOTE, surface)
    notify_of_post(post, parent=parent, quoted=quoted, mentioned=mentioned)
    announce_created(post, quoted=quoted)
    return post


def announce_created(post: Post, *, quoted: Post | None = None, original: Post | None = None) -> None:
    """Publish the event of a new row."""
    event_log.publish(
        events.PostCreated(
            post_id=post.pk,
            author_id=post.author_id,
            created_ms=clock.to_ms(post.created_at),
            conversation_id=post.conversation_id,
            in_reply_to_id=post.in_reply_to_id,
            in_reply_to_user_id=post.in_reply_to_user_id,
            repost_of_id=post.repost_of_id,
            repost_of_user_id=original.author_id if original else None,
            quote_of_id=post.quote_of_id,
            quote_of_user_id=quoted.author_id if quoted else None,
            video_duration_ms=post.video_duration_ms,
            has_media=post.has_media,
            language=post.language,
            visibility=str(post.visibility),
            subscribers_only=post.subscribers_only,
            sensitive=post.sensitive,
        )
    )


def check_media(media: Sequence[Media]) -> None:
    """Raise Invalid unless these are up to four pictures or one video."""
    if len(media) > MAX_MEDIA_PER_POST:
        raise Invalid(f"A post has at most {MAX_MEDIA_PER_POST} pictures.", extra={"field": "media"})
    if len(media) > 1 and any(item.kind == MediaKind.VIDEO for item in media):
        raise Invalid("A video stands alone in its post.", extra={"field": "media"})


def shortest_video_ms(media: Sequence[Media]) -> int | None:
    durations = [item.duration_ms for item in media if item.kind == MediaKind.VIDEO and item.duration_ms]
    return min(durations, default=None)


def check_draft(draft: Draft) -> None:
    if not draft.author.is_reachable:
        raise NotAllowed("Your account cannot post at the moment.")
    if draft.subscribers_only and not draft.author.offers_subscriptions:
        raise Invalid("Offer subscriptions in your profile settings first.", extra={"field": "subscribers_only"})
    wording.check_text(draft.text, may_be_empty=bool(draft.media_ids))
    if draft.poll:
        check_poll(draft.poll)
        if draft.media_ids:
            raise Invalid("A post has pictures or a poll, not both.", extra={"field": "poll"})
    wording.check_spoiler(draft.spoiler_text)
    wording.check_language(draft.language)
    wording.mentioned_names(draft.text)
    if len(set(draft.media_ids)) != len(draft.media_ids):
        raise Invalid("The same picture was attached twice.", extra={"field": "media"})
    if len(draft.media_ids) > MAX_MEDIA_PER_POST:
        raise Invalid(f"A post has at most {MAX_MEDIA_PER_POST} pictures.", extra={"field": "media"})


def _visibility(value: str) -> Visibility:
    try:
        return Visibility(value)
    except ValueError:
        raise Invalid("Unknown visibility.", extra={"field": "visibility"}) from None


def _original_id(post: Post | None) -> int | None:
    return None if post is None else post.repost_of_id or post.pk


def _first(post_id: int) -> Post:
    post = Post.objects.select_related("author").get(pk=post_id)
    if post.is_deleted:
        raise Conflict("The post of this idempotency key was deleted.")
    return post


def locked_context(draft: Draft) -> tuple[Post | None, Post | None]:
    """Lock the parent and the quoted post, and check that the author may refer to them."""
    wanted = {post_id for post_id in (draft.parent_id, draft.quoted_id) if post_id}
    if not wanted:
        return None, None
    counters.lock_posts(wanted)
    seen = {post.pk: post for post in visible_to(draft.author).filter(pk__in=wanted).select_related("author")}
    if wanted - seen.keys():
        raise NotFound("The post you refer to was deleted, or you may not see it.")
    quoted = seen.get(draft.quoted_id or 0)
    if quoted:
        _check_quotable(quoted, draft.author)
    return seen.get(draft.parent_id or 0), quoted


def _check_quotable(quoted: Post, author: User) -> None:
    is_public = quoted.visibility in OPEN and not quoted.author.is_locked and not quoted.subscribers_only
    if not is_public and quoted.author_id != author.pk:
        raise NotAllowed("This post may not be quoted.")


def claimed_media(draft: Draft, scheduled_id: int | None = None) -> list[Media]:
    """Lock the attachments, in the order given. Raises Invalid for foreign or used ones."""
    if not draft.media_ids:
        return []
    rows = Media.objects.select_for_update().filter(
        pk__in=draft.media_ids, owner=draft.author, post=None, scheduled=scheduled_id
    )
    found = {item.pk: item for item in rows.order_by("pk")}
    if len(found) < len(draft.media_ids):
        raise Invalid("An attachment is missing, or was used already.", extra={"field": "media"})
    media = [found[media_id] for media_id in draft.media_ids]
    check_media(media)
    return media


def _placed(media: list[Media], post: Post) -> list[Media]:
    for position, item in enumerate(media):
        item.post, item.position = post, position
    return media


def _stored(draft: Draft, post_id: int, parent: Post | None, media: list[Media]) -> Post:
    post = Post(
        pk=post_id,
        author=draft.author,
        text=draft.text,
        spoiler_text=draft.spoiler_text,
        sensitive=draft.sensitive,
        language=draft.language,
        visibility=draft.visibility,
        subscribers_only=draft.subscribers_only,
        in_reply_to=parent,
        in_reply_to_user_id=parent.author_id if parent else None,
        quote_of_id=draft.quoted_id,
        conversation_id=parent.conversation_id if parent else post_id,
        poll_text="\n".join(draft.poll.options) if draft.poll else "",
        has_media=bool(media),
        video_duration_ms=shortest_video_ms(media),
        application=draft.application,
        created_at=clock.now(),
    )
    sql.insert([post])
    sql.insert([PostCounts(post=post)])
    if draft.poll:
        store_poll(post, draft.poll)
    return post


def _log_making(post: Post, about: Post, kind: EngagementKind, surface: Surface) -> None:
    """A reply or quote is also an action on the post it refers to."""
    log_engagement(user=post.author, post=about, kind=kind, surface=surface, made_post_id=post.pk)
