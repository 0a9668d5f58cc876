"""From a request to the query the pipelines pass around."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from django.conf import settings

from accounts.selectors import graph
from accounts.selectors.graph import ViewerSettings
from feed import weights
from feed.candidate_pipeline.workers import Task
from feed.home_mixer import clients, params
from feed.home_mixer.cursor import Cursor
from feed.home_mixer.query import ScoredPostsQuery, fraction
from feed.home_mixer.tuning import Tuning
from feed.types import FeedRequest
from xsocial.kernel import clock, ids, metrics
from xsocial.kernel.errors import Invalid


def build(viewer_id: int, request: FeedRequest) -> ScoredPostsQuery:
    """The query with viewer data, parameters and weights. Raises Invalid for viewer 0 and a bad cursor.

    Viewer data that cannot be read becomes defaults: muted keywords then fail open, as published.
    """
    if not viewer_id:
        raise Invalid("A feed needs a viewer.")
    cursor = Cursor.parse(request.cursor, viewer_id=viewer_id)
    pushed = [request.push_to_home_post_id] if request.push_to_home_post_id > 0 else []
    shown = np.array([*cursor.shown_ids, *pushed], np.int64)  # what stands first need not stand below as well
    live = weights.live(viewer_id)
    values = params.resolve(settings.FEED_PROFILE, live.parameters)
    viewer = _viewer_data(viewer_id, values.viewer_data_ms)
    if viewer.is_staff and request.overrides:
        values = params.resolve(settings.FEED_PROFILE, {**live.parameters, **request.overrides})
    request_id = request.request_id or ids.next_id()
    in_network_only = request.in_network_only or not viewer.allows_recommendations
    query = ScoredPostsQuery(
        user_id=viewer_id,
        request_id=request_id,
        prediction_id=ids.next_id(),
        now_ms=clock.now_ms(),
        params=values,
        weights=live.weights if values.enable_tuning else replace(live.weights, tuning=Tuning()),
        platform=request.platform,
        ip_address=request.ip_address,
        country_code=request.country_code or viewer.country_code,
        language_code=request.language_code or viewer.language,
        request_context=request.context.lower().replace("-", "_"),
        has_cursor=bool(request.cursor),
        is_bottom_request=cursor.is_bottom,
        is_top_request=cursor.is_top,
        is_gap_request=cursor.is_gap,
        is_polling=request.is_polling,
        is_preview=request.is_preview,
        is_shadow_traffic=100 * fraction(request_id, "shadow") < values.shadow_percent,
        in_network_only=in_network_only,
        exclude_videos=request.exclude_videos or viewer.hides_videos,
        seen_ids=np.array(request.seen_ids, np.int64),
        served_ids=np.concatenate([shown, np.array(request.served_ids, np.int64)]),
        cursor_ids=shown,
        topic_ids=tuple(request.topic_ids),
        excluded_topic_ids=_excluded_topics(request, viewer, in_network_only),
        push_to_home_post_id=request.push_to_home_post_id,
        holds_unscreened=_holds_unscreened(viewer),
        viewer=viewer,
        muted_keywords=viewer.muted_keywords,
    )
    metrics.counter("feed_requests", "Page loads by surface", ("surface",)).labels(query.surface_label).inc()
    return query


def _excluded_topics(request: FeedRequest, viewer: ViewerSettings, in_network_only: bool) -> tuple[int, ...]:
    """What the request excludes, and on general pages what the viewer snoozed in the settings."""
    is_general = not (request.topic_ids or in_network_only)
    return tuple(dict.fromkeys([*request.excluded_topic_ids, *(viewer.snoozed_topic_ids if is_general else ())]))


def _viewer_data(viewer_id: int, budget_ms: int) -> ViewerSettings:
    """Settings of the viewer, or defaults when they cannot be read in time."""
    read = Task("viewer data", lambda: graph.viewer_settings(viewer_id), budget_ms)
    (outcome,) = clients.shared().workers.run([read])
    if isinstance(outcome.value, ViewerSettings):
        return outcome.value
    metrics.counter("feed_viewer_data_failures", "Requests served with default viewer data").inc()
    return ViewerSettings()


def _holds_unscreened(viewer: ViewerSettings) -> bool:
    return bool(getattr(settings, "GROX_HOLD_UNSCREENED", True)) and not viewer.shows_unscreened
