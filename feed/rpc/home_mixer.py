"""The home mixer over gRPC: messages in, one call to the feed, messages out.

Upstream twins: `scored_posts_server.rs` and `for_you_server.rs`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import orjson

from accounts.models import User
from accounts.selectors.people import get_user_by_id
from ads.blending import Verdict
from ads.types import AdCandidate
from feed import services
from feed.candidate_pipeline import Batch, Deadline, Result
from feed.home_mixer import feed_item, served_types
from feed.home_mixer.clients import budgets
from feed.home_mixer.cursor import Cursor
from feed.home_mixer.params import override_problem
from feed.rpc.generated import home_mixer_pb2 as messages
from feed.rpc.generated import home_mixer_pb2_grpc as rpc
from feed.rpc.server import Service
from feed.types import FeedRequest
from xsocial.kernel import metrics
from xsocial.kernel.errors import Invalid, NotAllowed

_SERVICES = messages.DESCRIPTOR.services_by_name
SCORED_POSTS = _SERVICES["ScoredPostsService"].full_name
FOR_YOU_FEED = _SERVICES["ForYouFeedService"].full_name

# Of the time a caller gives, the part the stages may use; the rest is for the answer's way back.
ANSWER_SHARE = 0.9
# Ids in a list of a query, ten times what the API takes.
MAX_IDS = 10_000
# Viewers of health probes: answered at once, empty, without a pipeline run.
TEST_VIEWERS = frozenset({123, 234})
_COUNTRY, _LANGUAGE = re.compile("[A-Za-z]{2}"), re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})?")
# What a debugging answer tells of every candidate; the selected ones are told in full.
CANDIDATE_COLUMNS = ("post_id", "author_id", "repost_of_id", "served_type", "source_rank", "in_network")


class ScoredPostsServicer(rpc.ScoredPostsServiceServicer):
    """The inner pipeline."""

    def GetScoredPosts(  # noqa: N802 - named by the proto
        self, query: messages.ScoredPostsQuery, context: grpc.ServicerContext
    ) -> messages.ScoredPostsResponse:
        if query.viewer_id in TEST_VIEWERS:
            return messages.ScoredPostsResponse(request_id=query.request_id)
        result = services.scored_posts(_viewer(query), request=_request(query), deadline=_deadline(context))
        return messages.ScoredPostsResponse(
            request_id=result.query.request_id, scored_posts=_scored_posts(result.selected)
        )

    def GetDebugScoredPosts(  # noqa: N802 - named by the proto
        self, debug: messages.DebugScoredPostsQuery, context: grpc.ServicerContext
    ) -> messages.DebugScoredPostsResponse:
        if debug.query.viewer_id in TEST_VIEWERS:
            return messages.DebugScoredPostsResponse(request_id=debug.query.request_id)
        viewer = _viewer(debug.query)
        overrides = _overrides(viewer, debug.feature_switch_overrides)
        request = _request(debug.query, overrides=overrides)
        result = services.scored_posts(viewer, request=request, deadline=_deadline(context))
        return messages.DebugScoredPostsResponse(
            request_id=result.query.request_id,
            scored_posts=_scored_posts(result.selected),
            debug_json=_debug_json(result),
        )


class ForYouFeedServicer(rpc.ForYouFeedServiceServicer):
    """The outer pipeline."""

    def GetForYouFeed(  # noqa: N802 - named by the proto
        self, wrapper: messages.ForYouFeedQuery, context: grpc.ServicerContext
    ) -> messages.ForYouFeedResponse:
        query = _unwrapped(wrapper)
        if query.viewer_id in TEST_VIEWERS:
            return messages.ForYouFeedResponse(request_id=query.request_id)
        page, result = services.load_for_you(_viewer(query), request=_request(query), deadline=_deadline(context))
        return messages.ForYouFeedResponse(request_id=page.request_id, items=_items(result))

    def GetForYouFeedUrt(  # noqa: N802 - named by the proto
        self, wrapper: messages.ForYouFeedQuery, context: grpc.ServicerContext
    ) -> messages.ForYouTimelineResponse:
        query = _unwrapped(wrapper)
        if query.viewer_id in TEST_VIEWERS:
            return messages.ForYouTimelineResponse(request_id=query.request_id)
        timeline = {
            "cursor": _readable_cursor(query),
            "context": query.request_context,
            "is_polling": query.is_polling,
        }
        request = _request(query, **timeline)
        page, result = services.load_for_you(_viewer(query), request=request, deadline=_deadline(context))
        return messages.ForYouTimelineResponse(
            request_id=page.request_id,
            items=_items(result),
            bottom_cursor=page.cursor,
            top_cursor=page.top_cursor,
        )


def scored_posts_service() -> Service:
    servicer = ScoredPostsServicer()
    return Service(SCORED_POSTS, lambda server: rpc.add_ScoredPostsServiceServicer_to_server(servicer, server))


def for_you_feed_service() -> Service:
    servicer = ForYouFeedServicer()
    return Service(FOR_YOU_FEED, lambda server: rpc.add_ForYouFeedServiceServicer_to_server(servicer, server))


def _deadline(context: grpc.ServicerContext) -> Deadline:
    """The caller's deadline, at most our own; a caller who goes away ends the work at the next stage."""
    ours_ms, theirs_s = budgets().request_ms, context.time_remaining()
    deadline = Deadline.after(ours_ms if theirs_s is None else min(ours_ms, ANSWER_SHARE * 1000 * theirs_s))
    if not context.add_callback(deadline.cancel):
        deadline.cancel()
    return deadline


# --- Messages in ------------------------------------------------------------------------------


def _unwrapped(wrapper: messages.ForYouFeedQuery) -> messages.ScoredPostsQuery:
    if not wrapper.HasField("query"):
        raise Invalid("query is needed.")
    return wrapper.query


def _viewer(query: messages.ScoredPostsQuery) -> User:
    if not query.viewer_id:
        raise Invalid("viewer_id is needed.")
    return get_user_by_id(query.viewer_id)


def _request(query: messages.ScoredPostsQuery, **more: Any) -> FeedRequest:
    fields = {
        "platform": f"app{query.client_app_id}" if query.client_app_id else "web",
        "seen_ids": tuple(query.seen_ids),
        "served_ids": tuple(query.served_ids),
        "topic_ids": tuple(query.topic_ids),
        "excluded_topic_ids": tuple(query.excluded_topic_ids),
        "in_network_only": query.in_network_only,
        "exclude_videos": query.exclude_videos,
        "is_preview": query.is_preview,
        "push_to_home_post_id": query.push_to_home_post_id,
        "request_id": query.request_id,
        "country_code": query.country_code.upper(),
        "language_code": query.language_code,
        "ip_address": query.device_status.ip_address,
        "cursor": _bottom_cursor(query) if query.is_bottom_request else "",
    }
    _check_ids(query)
    _check_codes(query)
    return FeedRequest(**{**fields, **more})


def _check_ids(query: messages.ScoredPostsQuery) -> None:
    """Ids of ours have 63 bits; a larger one fits no column, and a list is of a bounded length."""
    single = (query.request_id, query.push_to_home_post_id)
    listed = (query.seen_ids, query.served_ids, query.topic_ids, query.excluded_topic_ids)
    if max(map(len, listed)) > MAX_IDS:
        raise Invalid(f"A list of more than {MAX_IDS:,} ids is not taken.")
    if max((*single, *(max(ids, default=0) for ids in listed))) >= 1 << 63:
        raise Invalid("An id is out of range.")


def _check_codes(query: messages.ScoredPostsQuery) -> None:
    """They become names of figures and words of logs."""
    if query.country_code and not _COUNTRY.fullmatch(query.country_code):
        raise Invalid("country_code is two letters.")
    if query.language_code and not _LANGUAGE.fullmatch(query.language_code):
        raise Invalid("language_code is a language tag such as en or pt-BR.")


def _bottom_cursor(query: messages.ScoredPostsQuery) -> str:
    """A caller that keeps its own history says "load more" with what it was served."""
    return Cursor("bottom", tuple(query.served_ids)).text(viewer_id=query.viewer_id)


def _readable_cursor(query: messages.ScoredPostsQuery) -> str:
    """The caller's cursor, or none when it cannot be read: then the page begins anew."""
    try:
        Cursor.parse(query.cursor, viewer_id=query.viewer_id)
    except Invalid:
        metrics.counter("feed_unreadable_cursors", "gRPC pages asked with an unreadable cursor").inc()
        return ""
    return query.cursor


def _overrides(viewer: User, texts: Mapping[str, str]) -> dict[str, Any]:
    """Overrides as values. Raises NotAllowed for viewers who are not staff, Invalid for a bad one."""
    if texts and not viewer.is_staff:
        raise NotAllowed("Only staff may override parameters.")
    overrides = {name: _json_value(text) for name, text in texts.items()}
    problems = [problem for name, value in overrides.items() if (problem := override_problem(name, value))]
    if problems:
        raise Invalid("; ".join(problems))
    return overrides


def _json_value(text: str) -> Any:
    """A JSON value; anything else is taken as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- Messages out -----------------------------------------------------------------------------

_VERDICTS = {
    None: messages.BRAND_SAFETY_VERDICT_MEDIUM_RISK,
    Verdict.UNSPECIFIED: messages.BRAND_SAFETY_VERDICT_UNSPECIFIED,
    Verdict.SAFE: messages.BRAND_SAFETY_VERDICT_SAFE,
    Verdict.LOW_RISK: messages.BRAND_SAFETY_VERDICT_LOW_RISK,
    Verdict.MEDIUM_RISK: messages.BRAND_SAFETY_VERDICT_MEDIUM_RISK,
}


def _scored_posts(selected: Batch) -> list[messages.ScoredPost]:
    return [_scored_post(row) for row in feed_item.post_rows_of(selected)]


def _scored_post(post: feed_item.PostRow) -> messages.ScoredPost:
    names = (post.author_id, post.row["author_name"]), (post.repost_of_user_id, post.row["repost_of_name"])
    return messages.ScoredPost(
        post_id=post.id,
        author_id=post.author_id,
        repost_of_post_id=post.repost_of_id,
        repost_of_user_id=post.repost_of_user_id,
        in_reply_to_post_id=post.in_reply_to_id,
        score=post.score,
        in_network=post.in_network,
        served_type=post.source,
        ancestors=post.ancestors,
        brand_safety_verdict=_VERDICTS[post.verdict],
        text=post.text,
        visibility_reason=(post.visibility or {}).get("reason", ""),
        last_scored_timestamp_ms=post.row["scored_at_ms"],
        prediction_request_id=post.row["prediction_id"],
        screen_names={person: name for person, name in names if person and name},
        type_metrics=post.row["type_metrics"] or b"",
        following_replied_user_ids=post.row["following_replied_user_ids"] or (),
        safety_label_types=post.row["safety_labels"] or (),
    )


def _items(result: Result) -> list[messages.FeedItem]:
    columns = (result.selected[name].tolist() for name in ("position", "kind", "item"))
    return [
        messages.FeedItem(position=position, **{kind: _MESSAGE_OF[kind](item)})
        for position, kind, item in zip(*columns, strict=True)
    ]


def _ad(ad: AdCandidate) -> messages.Ad:
    return messages.Ad(
        ad_id=ad.id,
        post_id=ad.post_id or 0,
        author_id=ad.author_id,
        impression_id=ad.impression_id,
        campaign_id=ad.campaign_id,
        advertiser_name=ad.advertiser_name,
        headline=ad.headline,
        text=ad.text,
        url=ad.url,
        image_url=ad.image_url,
        token=ad.token,
        why=ad.why,
    )


def _push_to_home(item: feed_item.PushToHomeItem) -> messages.PushToHome:
    return messages.PushToHome(
        post_id=item.post_id,
        author_id=item.author_id,
        replier_ids=item.facepile,
        in_reply_to_post_id=item.in_reply_to_id,
        conversation_id=item.conversation_id,
        served_type=served_types.PUSH_TO_HOME,
    )


_MESSAGE_OF: dict[str, Callable[[Any], Any]] = {
    feed_item.POST: _scored_post,
    feed_item.AD: _ad,
    feed_item.WHO_TO_FOLLOW: lambda module: messages.WhoToFollow(user_ids=module.user_ids),
    feed_item.PROMPT: lambda prompt: messages.Prompt(prompt_id=prompt.pk, title=prompt.title, text=prompt.text),
    feed_item.PUSH_TO_HOME: _push_to_home,
}


def _debug_json(result: Result) -> str:
    """The whole run: what was asked, found, dropped by which filter, and chosen."""
    query = result.query
    story = {
        "query": {
            "viewer_id": query.user_id,
            "request_id": query.request_id,
            "surface": query.surface_label,
            "weight_set": query.weights.number,
            "tuning": dict(query.weights.tuning.multipliers),
            "in_network_only": query.in_network_only,
        },
        "retrieved_candidates": result.retrieved.rows(CANDIDATE_COLUMNS),
        "filtered_candidates": [
            {"filter": removed.filter, "post_ids": removed.rows["post_id"].tolist()} for removed in result.removed
        ],
        "selected_candidates": result.selected.rows(),
        "stats": {
            "retrieved_count": result.retrieved.n,
            "filtered_count": sum(removed.rows.n for removed in result.removed),
            "selected_count": result.selected.n,
        },
        "stages": [{"stage": report.stage, "ms": report.ms, "rows_out": report.rows_out} for report in result.stages],
    }
    return orjson.dumps(story, default=_plain).decode()


def _plain(value: Any) -> Any:
    """What JSON has no word for: sets as sorted lists, bytes in hexadecimal, the rest by its text."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.hex() if isinstance(value, bytes) else str(value)
