"""The outer pipeline: posts beside everything else a page holds."""

from feed.candidate_pipeline import Pipeline
from feed.home_mixer import feed_item
from feed.home_mixer.clients import Clients
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators.author_exposure_query_hydrator import AuthorExposureQueryHydrator
from feed.home_mixer.query_hydrators.past_request_timestamps_query_hydrator import PastRequestTimestampsQueryHydrator
from feed.home_mixer.query_hydrators.served_history_query_hydrator import ServedHistoryQueryHydrator
from feed.home_mixer.selectors.blender_selector import BlenderSelector
from feed.home_mixer.side_effects.ads_injection_logging_side_effect import AdsInjectionLoggingSideEffect
from feed.home_mixer.side_effects.client_events_kafka_side_effect import ClientEventsKafkaSideEffect
from feed.home_mixer.side_effects.for_you_response_stats_side_effect import ForYouResponseStatsSideEffect
from feed.home_mixer.side_effects.publish_seen_ids_side_effect import PublishSeenIdsSideEffect
from feed.home_mixer.side_effects.served_candidates_kafka_side_effect import ServedCandidatesKafkaSideEffect
from feed.home_mixer.side_effects.store_receipt_side_effect import StoreReceiptSideEffect
from feed.home_mixer.side_effects.truncate_served_history_side_effect import TruncateServedHistorySideEffect
from feed.home_mixer.side_effects.update_past_request_timestamps_side_effect import (
    UpdatePastRequestTimestampsSideEffect,
)
from feed.home_mixer.side_effects.update_served_history_side_effect import UpdateServedHistorySideEffect
from feed.home_mixer.sources.ads_source import AdsSource
from feed.home_mixer.sources.prompts_source import PromptsSource
from feed.home_mixer.sources.push_to_home_source import PushToHomeSource
from feed.home_mixer.sources.scored_posts_source import ScoredPostsSource
from feed.home_mixer.sources.who_to_follow_source import WhoToFollowSource


def build(scored_posts: Pipeline, clients: Clients) -> Pipeline:
    """The stages in their order, around the inner pipeline."""
    return Pipeline(
        name="ForYou",
        schema=feed_item.SCHEMA,
        query_hydrators=(
            ServedHistoryQueryHydrator(),
            PastRequestTimestampsQueryHydrator(),
            AuthorExposureQueryHydrator(),
        ),
        sources=(
            ScoredPostsSource(scored_posts),
            AdsSource(),
            WhoToFollowSource(),
            PromptsSource(),
            PushToHomeSource(),
        ),
        selector=BlenderSelector(),
        result_size=lambda query: (
            query.params.ranked_following_size if query.in_network_only else query.params.page_size
        ),
        side_effects=(
            StoreReceiptSideEffect(scored_posts),
            AdsInjectionLoggingSideEffect(),
            PublishSeenIdsSideEffect(),
            ServedCandidatesKafkaSideEffect(),
            ClientEventsKafkaSideEffect(),
            ForYouResponseStatsSideEffect(),
            UpdatePastRequestTimestampsSideEffect(),
            UpdateServedHistorySideEffect(),
            TruncateServedHistorySideEffect(),
        ),
        **clients.runtime(),
    ).verified(ScoredPostsQuery)
