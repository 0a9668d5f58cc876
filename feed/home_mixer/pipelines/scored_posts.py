"""The inner pipeline: finds, filters and ranks posts."""

from feed.candidate_pipeline import Pipeline
from feed.home_mixer import candidate, exploration
from feed.home_mixer.candidate_hydrators.ads_brand_safety_candidate_hydrator import AdsBrandSafetyCandidateHydrator
from feed.home_mixer.candidate_hydrators.author_standing_candidate_hydrator import AuthorStandingCandidateHydrator
from feed.home_mixer.candidate_hydrators.bidirectional_follow_candidate_hydrator import (
    BidirectionalFollowCandidateHydrator,
)
from feed.home_mixer.candidate_hydrators.blocked_by_candidate_hydrator import BlockedByCandidateHydrator
from feed.home_mixer.candidate_hydrators.core_data_candidate_hydrator import CoreDataCandidateHydrator
from feed.home_mixer.candidate_hydrators.engagement_counts_candidate_hydrator import EngagementCountsCandidateHydrator
from feed.home_mixer.candidate_hydrators.filtered_topics_candidate_hydrator import FilteredTopicsCandidateHydrator
from feed.home_mixer.candidate_hydrators.following_replied_users_candidate_hydrator import (
    FollowingRepliedUsersCandidateHydrator,
)
from feed.home_mixer.candidate_hydrators.gizmoduck_candidate_hydrator import GizmoduckCandidateHydrator
from feed.home_mixer.candidate_hydrators.has_media_candidate_hydrator import HasMediaCandidateHydrator
from feed.home_mixer.candidate_hydrators.in_network_candidate_hydrator import InNetworkCandidateHydrator
from feed.home_mixer.candidate_hydrators.language_code_candidate_hydrator import LanguageCodeCandidateHydrator
from feed.home_mixer.candidate_hydrators.mutual_follow_jaccard_candidate_hydrator import (
    MutualFollowJaccardCandidateHydrator,
)
from feed.home_mixer.candidate_hydrators.quote_candidate_hydrator import QuoteCandidateHydrator
from feed.home_mixer.candidate_hydrators.related_posts_candidate_hydrator import RelatedPostsCandidateHydrator
from feed.home_mixer.candidate_hydrators.screened_candidate_hydrator import ScreenedCandidateHydrator
from feed.home_mixer.candidate_hydrators.semantic_id_candidate_hydrator import SemanticIdCandidateHydrator
from feed.home_mixer.candidate_hydrators.subscription_candidate_hydrator import SubscriptionCandidateHydrator
from feed.home_mixer.candidate_hydrators.tweet_type_metrics_candidate_hydrator import TweetTypeMetricsCandidateHydrator
from feed.home_mixer.candidate_hydrators.vf_candidate_hydrator import VFCandidateHydrator
from feed.home_mixer.candidate_hydrators.video_duration_candidate_hydrator import VideoDurationCandidateHydrator
from feed.home_mixer.clients import Clients
from feed.home_mixer.filters.age_filter import AgeFilter
from feed.home_mixer.filters.ancillary_vf_filter import AncillaryVFFilter
from feed.home_mixer.filters.author_socialgraph_filter import AuthorSocialgraphFilter
from feed.home_mixer.filters.controlled_source_reexposure_filter import ControlledSourceReexposureFilter
from feed.home_mixer.filters.core_data_hydration_filter import CoreDataHydrationFilter
from feed.home_mixer.filters.dedup_conversation_filter import DedupConversationFilter
from feed.home_mixer.filters.drop_duplicates_filter import DropDuplicatesFilter
from feed.home_mixer.filters.ineligible_subscription_filter import IneligibleSubscriptionFilter
from feed.home_mixer.filters.inventory_holdout_filter import InventoryHoldoutFilter
from feed.home_mixer.filters.language_filter import LanguageFilter
from feed.home_mixer.filters.muted_keyword_filter import MutedKeywordFilter
from feed.home_mixer.filters.new_user_min_engagement_filter import NewUserMinEngagementFilter
from feed.home_mixer.filters.new_user_topic_ids_filter import NewUserTopicIdsFilter
from feed.home_mixer.filters.oon_nsfw_simclusters_filter import OONNsfwSimclustersFilter
from feed.home_mixer.filters.oon_retweet_reply_filter import OONRetweetReplyFilter
from feed.home_mixer.filters.policy_exclusion_filter import PolicyExclusionFilter
from feed.home_mixer.filters.previously_seen_posts_backup_filter import PreviouslySeenPostsBackupFilter
from feed.home_mixer.filters.previously_seen_posts_filter import PreviouslySeenPostsFilter
from feed.home_mixer.filters.previously_served_posts_filter import PreviouslyServedPostsFilter
from feed.home_mixer.filters.retweet_deduplication_filter import RetweetDeduplicationFilter
from feed.home_mixer.filters.screened_filter import ScreenedFilter
from feed.home_mixer.filters.self_tweet_filter import SelfTweetFilter
from feed.home_mixer.filters.topic_ids_filter import TopicIdsFilter
from feed.home_mixer.filters.vf_filter import VFFilter
from feed.home_mixer.filters.video_filter import VideoFilter
from feed.home_mixer.query import ScoredPostsQuery
from feed.home_mixer.query_hydrators.blocked_user_ids_query_hydrator import BlockedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.cached_posts_query_hydrator import CachedPostsQueryHydrator
from feed.home_mixer.query_hydrators.engagement_signals_query_hydrator import EngagementSignalsQueryHydrator
from feed.home_mixer.query_hydrators.followed_grok_topics_query_hydrator import FollowedGrokTopicsQueryHydrator
from feed.home_mixer.query_hydrators.followed_starter_packs_query_hydrator import FollowedStarterPacksQueryHydrator
from feed.home_mixer.query_hydrators.followed_user_ids_query_hydrator import FollowedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.impressed_posts_query_hydrator import ImpressedPostsQueryHydrator
from feed.home_mixer.query_hydrators.impression_bloom_filter_query_hydrator import ImpressionBloomFilterQueryHydrator
from feed.home_mixer.query_hydrators.inferred_grok_topics_query_hydrator import InferredGrokTopicsQueryHydrator
from feed.home_mixer.query_hydrators.ip_query_hydrator import IpQueryHydrator
from feed.home_mixer.query_hydrators.muted_user_ids_query_hydrator import MutedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.mutual_follow_query_hydrator import MutualFollowQueryHydrator
from feed.home_mixer.query_hydrators.policy_exclusions_query_hydrator import PolicyExclusionsQueryHydrator
from feed.home_mixer.query_hydrators.retrieval_sequence_query_hydrator import RetrievalSequenceQueryHydrator
from feed.home_mixer.query_hydrators.scoring_sequence_query_hydrator import ScoringSequenceQueryHydrator
from feed.home_mixer.query_hydrators.subscribed_user_ids_query_hydrator import SubscribedUserIdsQueryHydrator
from feed.home_mixer.query_hydrators.taste_query_hydrator import TasteQueryHydrator
from feed.home_mixer.query_hydrators.user_demographics_query_hydrator import UserDemographicsQueryHydrator
from feed.home_mixer.query_hydrators.user_gender_query_hydrator import UserGenderQueryHydrator
from feed.home_mixer.scorers.author_standing_scorer import AuthorStandingScorer
from feed.home_mixer.scorers.phoenix_scorer import PhoenixScorer
from feed.home_mixer.scorers.ranking_scorer import RankingScorer
from feed.home_mixer.scorers.vm_ranker import VMRanker
from feed.home_mixer.selectors.top_k_score_selector import TopKScoreSelector
from feed.home_mixer.side_effects.mutual_follow_stats_side_effect import MutualFollowStatsSideEffect
from feed.home_mixer.side_effects.phoenix_experiments_side_effect import PhoenixExperimentsSideEffect
from feed.home_mixer.side_effects.phoenix_request_cache_side_effect import PhoenixRequestCacheSideEffect
from feed.home_mixer.side_effects.redis_post_candidate_cache_side_effect import RedisPostCandidateCacheSideEffect
from feed.home_mixer.side_effects.reranking_kafka_side_effect import RerankingKafkaSideEffect
from feed.home_mixer.side_effects.scored_stats_side_effect import ScoredStatsSideEffect
from feed.home_mixer.sources.cached_posts_source import CachedPostsSource
from feed.home_mixer.sources.phoenix_moe_source import PhoenixMOESource
from feed.home_mixer.sources.phoenix_source import PhoenixSource
from feed.home_mixer.sources.phoenix_topics_source import PhoenixTopicsSource
from feed.home_mixer.sources.simclusters_source import SimclustersSource
from feed.home_mixer.sources.thunder_source import ThunderSource
from feed.home_mixer.sources.tweet_mixer_source import TweetMixerSource


def build(clients: Clients) -> Pipeline:
    """The stages in their order. Raises ValueError when the wiring does not hold."""
    return Pipeline(
        name="ScoredPosts",
        schema=candidate.SCHEMA,
        query_hydrators=(
            BlockedUserIdsQueryHydrator(),
            MutedUserIdsQueryHydrator(),
            FollowedUserIdsQueryHydrator(),
            SubscribedUserIdsQueryHydrator(),
            CachedPostsQueryHydrator(),
            MutualFollowQueryHydrator(),
            UserDemographicsQueryHydrator(),
            ImpressionBloomFilterQueryHydrator(),
            ImpressedPostsQueryHydrator(),
            IpQueryHydrator(),
            UserGenderQueryHydrator(),
            PolicyExclusionsQueryHydrator(),
        ),
        # What models and sources alone read: nothing of it for candidates that are judged already.
        dependent_query_hydrators=(
            ScoringSequenceQueryHydrator(),
            RetrievalSequenceQueryHydrator(),
            TasteQueryHydrator(),
            FollowedGrokTopicsQueryHydrator(),
            FollowedStarterPacksQueryHydrator(),
            InferredGrokTopicsQueryHydrator(),
            EngagementSignalsQueryHydrator(),
        ),
        sources=(
            ThunderSource(),
            TweetMixerSource(),
            PhoenixSource(),
            PhoenixTopicsSource(),
            PhoenixMOESource(),
            SimclustersSource(),
            CachedPostsSource(),
        ),
        hydrators=(
            InNetworkCandidateHydrator(),
            CoreDataCandidateHydrator(),
            QuoteCandidateHydrator(),
            VideoDurationCandidateHydrator(),
            HasMediaCandidateHydrator(),
            SubscriptionCandidateHydrator(),
            GizmoduckCandidateHydrator(),
            BlockedByCandidateHydrator(),
            FilteredTopicsCandidateHydrator(),
            LanguageCodeCandidateHydrator(),
            EngagementCountsCandidateHydrator(),
            BidirectionalFollowCandidateHydrator(),
            SemanticIdCandidateHydrator(),
            RelatedPostsCandidateHydrator(),
            AuthorStandingCandidateHydrator(),
            ScreenedCandidateHydrator(),
        ),
        filters=(
            DropDuplicatesFilter(),
            CoreDataHydrationFilter(),
            AgeFilter(),
            SelfTweetFilter(),
            OONRetweetReplyFilter(),
            OONNsfwSimclustersFilter(),
            RetweetDeduplicationFilter(),
            IneligibleSubscriptionFilter(),
            PreviouslySeenPostsFilter(),
            PreviouslySeenPostsBackupFilter(),
            PreviouslyServedPostsFilter(),
            ControlledSourceReexposureFilter(),
            MutedKeywordFilter(),
            AuthorSocialgraphFilter(),
            PolicyExclusionFilter(),
            VideoFilter(),
            LanguageFilter(),
            TopicIdsFilter(),
            NewUserTopicIdsFilter(),
            NewUserMinEngagementFilter(),
            ScreenedFilter(),
            InventoryHoldoutFilter(),
        ),
        scorers=(PhoenixScorer(), RankingScorer(), AuthorStandingScorer(), VMRanker()),
        selector=TopKScoreSelector(),
        post_selection_hydrators=(
            VFCandidateHydrator(),
            AdsBrandSafetyCandidateHydrator(),
            TweetTypeMetricsCandidateHydrator(),
            FollowingRepliedUsersCandidateHydrator(),
            MutualFollowJaccardCandidateHydrator(),
        ),
        post_selection_filters=(VFFilter(), AncillaryVFFilter(), DedupConversationFilter()),
        result_size=lambda query: query.params.result_size,
        finalize=exploration.explore,
        side_effects=(
            PhoenixExperimentsSideEffect(),
            RerankingKafkaSideEffect(),
            RedisPostCandidateCacheSideEffect(),
            ScoredStatsSideEffect(),
            MutualFollowStatsSideEffect(),
            PhoenixRequestCacheSideEffect(),
        ),
        **clients.runtime(),
    ).verified(ScoredPostsQuery)
