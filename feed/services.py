"""The feed's front door: For You, Following, and why a post is where it is."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from django.conf import settings
from threadpoolctl import threadpool_limits

from accounts.models import User
from feed import weights
from feed.candidate_pipeline import Cancelled, Deadline, Pipeline, Result
from feed.home_mixer import clients, cursor, feed_item, query_builder, request_times, served_types
from feed.home_mixer.pipelines import for_you as for_you_recipe
from feed.home_mixer.pipelines import scored_posts as scored_posts_recipe
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.tuning import Tuning
from feed.models import ReceiptLook
from feed.receipts import build, fates, left_out, preview, store
from feed.receipts import explain as explanations
from feed.receipts import replay as replays
from feed.receipts.preview import Preview
from feed.receipts.replay import Replayed
from feed.rpc.server import Access
from feed.rpc.thunder import RemoteThunder
from feed.rpc.thunder_socket import SCHEME, SocketThunder
from feed.thunder import service as thunder
from feed.types import Explanation, FeedItem, FeedRequest, ForYouPage
from posts.models import Post
from posts.selectors import timelines
from ranking import services as ranking
from xsocial.kernel import clock, rate_limit
from xsocial.kernel.errors import NotFound, RateLimited, Unavailable
from xsocial.kernel.paging import Cursor
from xsocial.kernel.redis import RedisError

PREVIEWS_A_MINUTE = 60

_build_lock = threading.Lock()


def for_you(viewer: User, *, request: FeedRequest | None = None) -> ForYouPage:
    """One For You page. Raises Invalid for a bad cursor; parts that fail are missing and named."""
    return load_for_you(viewer, request=request)[0]


def load_for_you(
    viewer: User,
    *,
    request: FeedRequest | None = None,
    is_patient: bool = False,
    deadline: Deadline | None = None,
    pipeline: Pipeline | None = None,
) -> tuple[ForYouPage, Result]:
    """The page and the whole result behind it, for tools that show the machinery.

    A patient load waits for slow parts and has done its side effects when it returns; a pipeline
    takes the place of this process's own. Raises Unavailable when the caller cancelled the deadline.
    """
    query = query_builder.build(viewer.pk, request or FeedRequest())
    result = _run(pipeline or pipelines(is_patient=is_patient)[1], query, deadline)
    page = _page(result)
    if is_broken(result) and not any(item.kind == feed_item.POST for item in page.items):
        page = _following_instead(viewer, query, page)
    return page, result


def is_broken(result: Result) -> bool:
    """Whether any part of a page failed or was late."""
    inner: Result | None = result.query.memo.get("scored_posts")
    return inner is None or bool(inner.faults or result.faults)


def _following_instead(viewer: User, query: ScoredPostsQuery, page: ForYouPage) -> ForYouPage:
    """A page that lost all its posts, most likely to a rule that guards somebody and broke, shows Following.

    Ads go: nothing that stands beside them was judged. Pages of topics and later pages stay as they are.
    """
    if query.is_topic_request or query.has_cursor or query.is_polling:
        return page
    others = [item for item in page.items if item.kind != feed_item.AD]
    posts = [_newest(post) for post in timelines.home(viewer) if post.author_id != viewer.pk]
    items = tuple(replace(item, position=place) for place, item in enumerate([*others, *posts]))
    return replace(page, items=items, degraded=tuple(dict.fromkeys([*page.degraded, "posts"])))


def _newest(post: Post) -> FeedItem:
    original = post.repost_of or post
    is_repost = original is not post
    return FeedItem(
        position=0,
        kind=feed_item.POST,
        post_id=original.pk,
        author_id=original.author_id,
        wrapper_id=post.pk if is_repost else 0,
        reposted_by=post.author_id if is_repost else 0,
        source=served_types.FOLLOWING,
    )


def scored_posts(viewer: User, *, request: FeedRequest | None = None, deadline: Deadline | None = None) -> Result:
    """The inner pipeline alone: posts without ads, modules or served history of our own."""
    return _run(pipelines()[0], query_builder.build(viewer.pk, request or FeedRequest()), deadline)


def _run(pipeline: Pipeline, query: ScoredPostsQuery, deadline: Deadline | None) -> Result:
    query.memo.put("deadline", deadline)
    try:
        return pipeline.execute(query, deadline=deadline)
    except Cancelled as error:
        raise Unavailable("The caller has gone.", extra={"reason": "late"}) from error


def following(viewer: User, *, cursor: Cursor | None = None) -> list[Post]:
    """What the followed wrote, strictly by time; nothing ranked, nothing injected. The look is noted."""
    _note_following(viewer)
    return timelines.home(viewer, cursor or Cursor())


def following_ids(viewer: User, *, cursor: Cursor | None = None) -> list[int]:
    """Ids of the same page."""
    _note_following(viewer)
    return timelines.page_ids(timelines.home_posts(viewer), cursor or Cursor())


def _note_following(viewer: User) -> None:
    with suppress(RedisError):  # only For You's sense of how long somebody was away depends on it
        request_times.note_following(viewer.pk, clock.now_ms())


def explain(viewer: User, request_id: int, post_id: int) -> Explanation:
    """Why a post stood on one of this viewer's pages. Raises NotFound."""
    return explanations.explain(receipt(viewer, request_id), post_id)


def explain_latest(viewer: User, post_id: int) -> Explanation:
    """Why a post stood on the viewer's newest page that had it, or on one loaded now. Raises NotFound."""
    for row in store.recent(viewer_id=viewer.pk):
        try:
            return explain(viewer, row.request_id, post_id)
        except NotFound:
            continue
    _, result = load_for_you(viewer, is_patient=True)
    return explanations.explain(build.receipt(result), post_id)


def receipt(viewer: User, request_id: int) -> dict[str, Any]:
    """Everything that decided one of this viewer's pages. Raises NotFound."""
    return store.load(viewer_id=viewer.pk, request_id=request_id)


def left_out_of(viewer: User, request_id: int, *, rule: str, page: int = 1) -> left_out.Listed:
    """What a rule left out of one of this viewer's pages. Raises NotFound."""
    return left_out.listed(viewer, receipt(viewer, request_id), rule, page)


def looks(viewer: User, request_id: int) -> list[ReceiptLook]:
    """Who else looked at one of this viewer's pages, and why."""
    return store.looks(viewer_id=viewer.pk, request_id=request_id)


def may_look(user: User) -> bool:
    """Whether the person may look at the pages of others."""
    return store.may_look(user)


def look(request_id: int, *, actor: User, reason: str) -> dict[str, Any]:
    """Somebody else's receipt without the predictions, for those who may look; the look is logged.

    Raises NotAllowed, Invalid without a reason, NotFound.
    """
    return store.look(request_id, actor=actor, reason=reason)


def replay(request_id: int, *, model: str = "", weight_set: int | None = None, reason: str = "") -> Replayed:
    """A stored load run again and compared, also under another model or weight set.

    Raises NotFound for loads that are unknown or expired and for unknown models and weight sets,
    Conflict when the model's files changed. ``reason`` is given when the outcome is shown to somebody
    else than the viewer, and noted as a look; predictions are not part of it.
    """
    chosen = weights.numbered(weight_set) if weight_set is not None else None
    row = store.any_row(request_id)
    if reason:
        store.log_look(row, actor=None, reason=reason)
    return replays.replay(row, pipelines(is_patient=True), model=model, weights=chosen)


def preview_tuning(viewer: User, tuning: Tuning) -> Preview:
    """The viewer's last page of For You, as this tuning would have ordered it.

    Raises NotFound without one, Conflict when the model's files changed, Unavailable when a part fails, RateLimited.
    """
    if not rate_limit.hit("feed_preview", str(viewer.pk), PREVIEWS_A_MINUTE, 60).is_allowed:
        raise RateLimited
    return preview.under(preview.latest(viewer.pk), pipelines(), tuning)


def components() -> dict[str, dict[str, tuple[str, ...]]]:
    """Both pipelines' stages and components in order."""
    return {pipeline.name: pipeline.components() for pipeline in pipelines()}


def warm_up() -> None:
    """Make a server process ready: pipelines, Thunder, and a thread that keeps the models current."""
    pipelines()
    if settings.THUNDER_TARGET.startswith(SCHEME):
        thunder.use(SocketThunder(settings.THUNDER_TARGET.removeprefix(SCHEME)))
    elif settings.THUNDER_TARGET:
        thunder.use(RemoteThunder(settings.THUNDER_TARGET, access=Access.from_settings()))
    elif settings.FEED_EMBEDDED_THUNDER:
        thunder.start_embedded()
    if settings.FEED_POOL_SIZE:
        ranking.keep_current()


@cache
def pipelines(*, is_patient: bool = False) -> tuple[Pipeline, Pipeline]:
    """The inner and the outer pipeline of this process."""
    with _build_lock:
        # Matrices here are small: a second thread of NumPy's spins for longer than it computes.
        threadpool_limits(1, user_api="blas")
        runtime = clients.patient() if is_patient else clients.shared()
        inner = scored_posts_recipe.build(runtime)
        return inner, for_you_recipe.build(inner, runtime)


def _page(result: Result) -> ForYouPage:
    query: ScoredPostsQuery = result.query
    inner: Result | None = query.memo.get("scored_posts")
    kinds, items = result.selected["kind"].tolist(), result.selected["item"].tolist()
    dropped: Counter[str] = Counter()
    for _, component, rows in fates.of(inner, result).ledger() if inner else ():
        dropped[component] += len(rows)
    shown = [item.id for kind, item in zip(kinds, items, strict=True) if kind == feed_item.POST]
    return ForYouPage(
        request_id=query.request_id,
        items=tuple(_item(place, kind, item) for place, (kind, item) in enumerate(zip(kinds, items, strict=True))),
        cursor=cursor.following(query.cursor_ids.tolist(), shown, viewer_id=query.user_id) if shown else "",
        top_cursor=cursor.following(query.cursor_ids.tolist(), shown, viewer_id=query.user_id, direction="top"),
        degraded=build.degraded(result),
        model=build.model_of(inner),
        weight_set=query.weights.number,
        build=settings.BUILD,
        is_cached=inner is not None and inner.query.has_cached_posts,
        is_tuned=bool(query.weights.tuning),
        dropped=dict(dropped),
    )


def _item(place: int, kind: str, item: Any) -> FeedItem:
    if kind == feed_item.POST:
        return _post(place, item)
    if kind == feed_item.AD:
        return FeedItem(place, kind, post_id=item.post_id or 0, author_id=item.author_id, ad=item)
    if kind == feed_item.WHO_TO_FOLLOW:
        return FeedItem(place, kind, user_ids=item.user_ids)
    if kind == feed_item.PUSH_TO_HOME:
        return FeedItem(
            place,
            kind,
            post_id=item.post_id,
            author_id=item.author_id,
            source=served_types.PUSH_TO_HOME,
            facepile=item.facepile,
        )
    return FeedItem(place, kind, prompt=item)


def _post(place: int, post: feed_item.PostRow) -> FeedItem:
    is_repost = bool(post.repost_of_id)
    cover = post.visibility or {}
    return FeedItem(
        position=place,
        kind=feed_item.POST,
        post_id=post.repost_of_id or post.id,
        author_id=post.repost_of_user_id or post.author_id,
        wrapper_id=post.id if is_repost else 0,
        reposted_by=post.author_id if is_repost else 0,
        in_network=post.in_network,
        source=post.source,
        score=post.score,
        ancestors=post.ancestors,
        notice=cover.get("reason", ""),
        reason="" if post.in_network else "recommended",
        facepile=post.row["following_replied_user_ids"] or (),
    )
