"""From the event log to the streams: which listener gets which post, decided per receiver.

Runs in the thread that follows the log. Nothing is asked of the database unless somebody listens,
and what is asked does not grow with how many do. Who may open a post, whom and what a person mutes
and what belongs to which timeline is answered by the selectors of posts; labels by moderation.
"""

import copy
from collections.abc import Callable, Iterable

import orjson
import structlog
from django.db import OperationalError
from django.http import HttpRequest
from oauth2_provider.models import get_access_token_model

from accounts.models import User
from feed.streaming.connections import Connection, Message, hub
from feed.streaming.streams import HASHTAG, LIST, NOTIFICATIONS, PUBLIC, USER, Stream
from moderation import selectors as moderation
from moderation.events import PostLabelled
from moderation.visibility import SafetyLevel, ViewerFacts
from moderation.visibility.rules import WITHHOLDING
from posts import selectors
from posts.api.serializers import UNKNOWN_TO_CLIENTS, Rendering, notification_json, status_json
from posts.events import Notified, PostCreated, PostDeleted, PostEdited
from posts.models import Post
from posts.types import Visibility
from xsocial.kernel import clock

log = structlog.get_logger(__name__)
Listening = list[tuple[Connection, Stream]]
TIMELINES = (USER, LIST, PUBLIC, HASHTAG)
#: Where a muted word also counts in what a post answers and quotes.
OWN = (USER, LIST)


def handle(event: object) -> None:
    """Send an event to the streams it concerns."""
    if not hub:
        return
    try:
        _handle(event)
    except OperationalError:
        raise
    # The boundary to every app's posts: one that cannot be shown must not stop the others.
    except Exception:
        log.exception("stream event failed", event_name=type(event).__name__)


def _handle(event: object) -> None:
    match event:
        case PostCreated():
            _send_post(event.post_id, "update")
        case PostEdited():
            _send_post(event.post_id, "status.update")
        case PostDeleted():
            _send_deletion(event.post_id)
        case PostLabelled() if not WITHHOLDING.isdisjoint(event.applied):
            _send_deletion(event.post_id, but_to_author=True)
        case Notified():
            _send_notification(event)


def tend() -> None:
    """End streams whose token ran out or was taken back."""
    _alive(hub.everybody())


def _alive(connections: Iterable[Connection]) -> list[Connection]:
    """The connections whose tokens hold and whose owners may use them; the others end. One query."""
    asked = list(connections)
    if not asked:
        return []
    tokens = get_access_token_model().objects.filter(
        pk__in={connection.token_id for connection in asked},
        expires__gt=clock.now(),
        user__is_active=True,
        user__suspended_at=None,
        user__deactivated_at=None,
    )
    good = set(tokens.values_list("pk", flat=True))
    for connection in asked:
        if connection.token_id not in good:
            connection.end()
    return [connection for connection in asked if connection.token_id in good]


def _on(*kinds: str) -> Listening:
    return [
        (connection, stream) for connection in hub.everybody() for stream in connection.streams if stream.kind in kinds
    ]


def _people(listening: Listening) -> set[int]:
    return {connection.user_id for connection, _ in listening}


def _send_post(post_id: int, event: str) -> None:
    everybody = _on(*TIMELINES)
    post = Post.objects.filter(pk=post_id).select_related("author", "repost_of").first() if everybody else None
    if post is None or post.is_deleted or post.visibility == Visibility.DIRECT:
        return
    receivers = _permitted(post, _concerned(post, everybody))
    if receivers:
        _send_status(post, event, receivers)


def _concerned(post: Post, everybody: Listening) -> Listening:
    """Those on whose timeline it belongs."""
    at_home = _of_their_own(post, everybody)
    tags = selectors.tags_in_public(post) if any(stream.kind == HASHTAG for _, stream in everybody) else set()
    is_public = selectors.is_in_public(post)

    def belongs(who: Connection, stream: Stream) -> bool:
        if stream.kind in OWN:
            return at_home(who, stream)
        if stream.kind == HASHTAG:
            return stream.tag in tags
        return is_public and (post.has_media or not stream.only_media)

    return [(who, stream) for who, stream in everybody if belongs(who, stream)]


def _of_their_own(post: Post, everybody: Listening) -> Callable[[Connection, Stream], bool]:
    """Whether a post is part of what somebody follows, or of a list of theirs. A query for each of the two."""
    home = selectors.home_readers(post, {who.user_id for who, stream in everybody if stream.kind == USER})
    wanted = {stream.list_id for _, stream in everybody if stream.kind == LIST}
    lists = selectors.list_readers(post, wanted) if wanted else set()
    return lambda who, stream: who.user_id in home if stream.kind == USER else (who.user_id, stream.list_id) in lists


def _permitted(post: Post, listening: Listening) -> Listening:
    """Those who may open it, would not rather miss it, and hold a token that is good now."""
    people = selectors.openers(post.pk, _people(listening)) if listening else set()
    if _is_dropped(post):
        people &= {post.author_id}
    if not people:
        return []
    at_home = selectors.without_muting(post, people, in_context=True)
    elsewhere = selectors.without_muting(post, people)
    wanted = [
        (who, stream) for who, stream in listening if who.user_id in (at_home if stream.kind in OWN else elsewhere)
    ]
    good = set(_alive({who for who, _ in wanted}))
    return [(who, stream) for who, stream in wanted if who in good]


def _is_dropped(post: Post) -> bool:
    """Whether a label keeps a post, or what it passes on, from everybody but its author."""
    shown = post.repost_of or post
    authors = frozenset({post.author_id, shown.author_id})
    facts = ViewerFacts(shows_unscreened=True, following=authors, subscribed=authors)
    verdicts = moderation.visibility({shown.pk}, level=SafetyLevel.TIMELINE_HOME, viewer=None, facts=facts)
    return any(verdict.is_dropping for verdict in verdicts.values())


def _send_status(post: Post, event: str, receivers: Listening) -> None:
    """As its author would see it, without anybody's marks, and with what it quotes for those who may open that."""
    [detailed] = selectors.detailed(post.author, Post.objects.filter(pk=post.pk))
    quoted_id = (detailed.repost_of or detailed).quote_of_id
    may_open_quoted = selectors.openers(quoted_id, _people(receivers)) if quoted_id else set()
    texts: dict[tuple[str, bool], str] = {}
    for who, stream in receivers:
        with_quote = who.user_id in may_open_quoted
        key = (who.request.build_absolute_uri("/"), with_quote)
        if key not in texts:
            texts[key] = _status_text(detailed, who.request, with_quote=with_quote)
        who.tell(Message(stream, event, texts[key]))


def _status_text(post: Post, request: HttpRequest, *, with_quote: bool) -> str:
    data = status_json(post, Rendering.for_anybody([post], request))
    shown = data["reblog"] or data
    if shown["quote"] and not with_quote:
        shown["quote"] = {"state": "unauthorized", "quoted_status": None}
    return orjson.dumps(data).decode()


def _send_deletion(post_id: int, *, but_to_author: bool = False) -> None:
    """The id, where the post may have been sent before. It says nothing else."""
    everybody = _on(*TIMELINES)
    post = Post.objects.filter(pk=post_id).select_related("author").first() if everybody else None
    if post is None or post.visibility == Visibility.DIRECT:
        return
    at_home = _of_their_own(post, everybody)
    is_open = post.visibility == Visibility.PUBLIC and not post.author.is_locked and not post.is_repost
    receivers = [
        (who, stream)
        for who, stream in everybody
        if (at_home(who, stream) if stream.kind in OWN else is_open)
        and not (but_to_author and who.user_id == post.author_id)
    ]
    good = set(_alive({who for who, _ in receivers}))
    for who, stream in receivers:
        if who in good:
            who.tell(Message(stream, "delete", str(post_id)))


def _send_notification(event: Notified) -> None:
    if event.kind in UNKNOWN_TO_CLIENTS:
        return
    recipients = set(event.recipient_ids)
    listening = [
        (who, stream)
        for who, stream in _on(USER, NOTIFICATIONS)
        if who.user_id in recipients and who.hears_notifications()
    ]
    good = set(_alive({who for who, _ in listening}))
    people = User.objects.in_bulk({who.user_id for who in good})
    for user in people.values():
        news = selectors.notification_about(user, actor_id=event.actor_id, kind=event.kind, post_id=event.post_id)
        if news is None:
            continue
        posts = [] if news.post is None else [news.post]
        for who, stream in listening:
            if who in good and who.user_id == user.pk:
                rendering = Rendering.of(posts, _as(user, who.request))
                text = orjson.dumps(notification_json(news, rendering)).decode()
                who.tell(Message(stream, "notification", text))


def _as(user: User, request: HttpRequest) -> HttpRequest:
    own = copy.copy(request)
    own.user = user
    return own
