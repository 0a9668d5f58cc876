from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BrandSafetyVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BRAND_SAFETY_VERDICT_UNSPECIFIED: _ClassVar[BrandSafetyVerdict]
    BRAND_SAFETY_VERDICT_SAFE: _ClassVar[BrandSafetyVerdict]
    BRAND_SAFETY_VERDICT_LOW_RISK: _ClassVar[BrandSafetyVerdict]
    BRAND_SAFETY_VERDICT_MEDIUM_RISK: _ClassVar[BrandSafetyVerdict]
BRAND_SAFETY_VERDICT_UNSPECIFIED: BrandSafetyVerdict
BRAND_SAFETY_VERDICT_SAFE: BrandSafetyVerdict
BRAND_SAFETY_VERDICT_LOW_RISK: BrandSafetyVerdict
BRAND_SAFETY_VERDICT_MEDIUM_RISK: BrandSafetyVerdict

class ScoredPostsQuery(_message.Message):
    __slots__ = ("viewer_id", "client_app_id", "seen_ids", "served_ids", "in_network_only", "is_bottom_request", "topic_ids", "excluded_topic_ids", "exclude_videos", "request_id", "is_preview", "push_to_home_post_id", "cursor", "request_context", "is_polling", "country_code", "language_code", "device_status")
    VIEWER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_APP_ID_FIELD_NUMBER: _ClassVar[int]
    SEEN_IDS_FIELD_NUMBER: _ClassVar[int]
    SERVED_IDS_FIELD_NUMBER: _ClassVar[int]
    IN_NETWORK_ONLY_FIELD_NUMBER: _ClassVar[int]
    IS_BOTTOM_REQUEST_FIELD_NUMBER: _ClassVar[int]
    TOPIC_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_TOPIC_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_VIDEOS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IS_PREVIEW_FIELD_NUMBER: _ClassVar[int]
    PUSH_TO_HOME_POST_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    IS_POLLING_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_CODE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_STATUS_FIELD_NUMBER: _ClassVar[int]
    viewer_id: int
    client_app_id: int
    seen_ids: _containers.RepeatedScalarFieldContainer[int]
    served_ids: _containers.RepeatedScalarFieldContainer[int]
    in_network_only: bool
    is_bottom_request: bool
    topic_ids: _containers.RepeatedScalarFieldContainer[int]
    excluded_topic_ids: _containers.RepeatedScalarFieldContainer[int]
    exclude_videos: bool
    request_id: int
    is_preview: bool
    push_to_home_post_id: int
    cursor: str
    request_context: str
    is_polling: bool
    country_code: str
    language_code: str
    device_status: DeviceStatus
    def __init__(self, viewer_id: _Optional[int] = ..., client_app_id: _Optional[int] = ..., seen_ids: _Optional[_Iterable[int]] = ..., served_ids: _Optional[_Iterable[int]] = ..., in_network_only: _Optional[bool] = ..., is_bottom_request: _Optional[bool] = ..., topic_ids: _Optional[_Iterable[int]] = ..., excluded_topic_ids: _Optional[_Iterable[int]] = ..., exclude_videos: _Optional[bool] = ..., request_id: _Optional[int] = ..., is_preview: _Optional[bool] = ..., push_to_home_post_id: _Optional[int] = ..., cursor: _Optional[str] = ..., request_context: _Optional[str] = ..., is_polling: _Optional[bool] = ..., country_code: _Optional[str] = ..., language_code: _Optional[str] = ..., device_status: _Optional[_Union[DeviceStatus, _Mapping]] = ...) -> None: ...

class DeviceStatus(_message.Message):
    __slots__ = ("ip_address",)
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ip_address: str
    def __init__(self, ip_address: _Optional[str] = ...) -> None: ...

class DebugScoredPostsQuery(_message.Message):
    __slots__ = ("query", "feature_switch_overrides")
    class FeatureSwitchOverridesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    QUERY_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SWITCH_OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    query: ScoredPostsQuery
    feature_switch_overrides: _containers.ScalarMap[str, str]
    def __init__(self, query: _Optional[_Union[ScoredPostsQuery, _Mapping]] = ..., feature_switch_overrides: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ForYouFeedQuery(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: ScoredPostsQuery
    def __init__(self, query: _Optional[_Union[ScoredPostsQuery, _Mapping]] = ...) -> None: ...

class ScoredPost(_message.Message):
    __slots__ = ("post_id", "author_id", "repost_of_post_id", "repost_of_user_id", "in_reply_to_post_id", "score", "in_network", "served_type", "ancestors", "brand_safety_verdict", "text", "visibility_reason", "last_scored_timestamp_ms", "prediction_request_id", "screen_names", "type_metrics", "following_replied_user_ids", "safety_label_types")
    class ScreenNamesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    REPOST_OF_POST_ID_FIELD_NUMBER: _ClassVar[int]
    REPOST_OF_USER_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_POST_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    IN_NETWORK_FIELD_NUMBER: _ClassVar[int]
    SERVED_TYPE_FIELD_NUMBER: _ClassVar[int]
    ANCESTORS_FIELD_NUMBER: _ClassVar[int]
    BRAND_SAFETY_VERDICT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_SCORED_TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCREEN_NAMES_FIELD_NUMBER: _ClassVar[int]
    TYPE_METRICS_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_REPLIED_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    SAFETY_LABEL_TYPES_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    author_id: int
    repost_of_post_id: int
    repost_of_user_id: int
    in_reply_to_post_id: int
    score: float
    in_network: bool
    served_type: str
    ancestors: _containers.RepeatedScalarFieldContainer[int]
    brand_safety_verdict: BrandSafetyVerdict
    text: str
    visibility_reason: str
    last_scored_timestamp_ms: int
    prediction_request_id: int
    screen_names: _containers.ScalarMap[int, str]
    type_metrics: bytes
    following_replied_user_ids: _containers.RepeatedScalarFieldContainer[int]
    safety_label_types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., repost_of_post_id: _Optional[int] = ..., repost_of_user_id: _Optional[int] = ..., in_reply_to_post_id: _Optional[int] = ..., score: _Optional[float] = ..., in_network: _Optional[bool] = ..., served_type: _Optional[str] = ..., ancestors: _Optional[_Iterable[int]] = ..., brand_safety_verdict: _Optional[_Union[BrandSafetyVerdict, str]] = ..., text: _Optional[str] = ..., visibility_reason: _Optional[str] = ..., last_scored_timestamp_ms: _Optional[int] = ..., prediction_request_id: _Optional[int] = ..., screen_names: _Optional[_Mapping[int, str]] = ..., type_metrics: _Optional[bytes] = ..., following_replied_user_ids: _Optional[_Iterable[int]] = ..., safety_label_types: _Optional[_Iterable[str]] = ...) -> None: ...

class ScoredPostsResponse(_message.Message):
    __slots__ = ("request_id", "scored_posts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCORED_POSTS_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    scored_posts: _containers.RepeatedCompositeFieldContainer[ScoredPost]
    def __init__(self, request_id: _Optional[int] = ..., scored_posts: _Optional[_Iterable[_Union[ScoredPost, _Mapping]]] = ...) -> None: ...

class DebugScoredPostsResponse(_message.Message):
    __slots__ = ("request_id", "scored_posts", "debug_json")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCORED_POSTS_FIELD_NUMBER: _ClassVar[int]
    DEBUG_JSON_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    scored_posts: _containers.RepeatedCompositeFieldContainer[ScoredPost]
    debug_json: str
    def __init__(self, request_id: _Optional[int] = ..., scored_posts: _Optional[_Iterable[_Union[ScoredPost, _Mapping]]] = ..., debug_json: _Optional[str] = ...) -> None: ...

class Ad(_message.Message):
    __slots__ = ("ad_id", "post_id", "author_id", "impression_id", "campaign_id", "advertiser_name", "headline", "text", "url", "image_url", "token", "why")
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    IMPRESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    ADVERTISER_NAME_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ad_id: int
    post_id: int
    author_id: int
    impression_id: int
    campaign_id: int
    advertiser_name: str
    headline: str
    text: str
    url: str
    image_url: str
    token: str
    why: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ad_id: _Optional[int] = ..., post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., impression_id: _Optional[int] = ..., campaign_id: _Optional[int] = ..., advertiser_name: _Optional[str] = ..., headline: _Optional[str] = ..., text: _Optional[str] = ..., url: _Optional[str] = ..., image_url: _Optional[str] = ..., token: _Optional[str] = ..., why: _Optional[_Iterable[str]] = ...) -> None: ...

class WhoToFollow(_message.Message):
    __slots__ = ("user_ids",)
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Prompt(_message.Message):
    __slots__ = ("prompt_id", "title", "text")
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    prompt_id: int
    title: str
    text: str
    def __init__(self, prompt_id: _Optional[int] = ..., title: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class PushToHome(_message.Message):
    __slots__ = ("post_id", "author_id", "replier_ids", "in_reply_to_post_id", "conversation_id", "served_type")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    REPLIER_IDS_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_POST_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SERVED_TYPE_FIELD_NUMBER: _ClassVar[int]
    post_id: int
    author_id: int
    replier_ids: _containers.RepeatedScalarFieldContainer[int]
    in_reply_to_post_id: int
    conversation_id: int
    served_type: str
    def __init__(self, post_id: _Optional[int] = ..., author_id: _Optional[int] = ..., replier_ids: _Optional[_Iterable[int]] = ..., in_reply_to_post_id: _Optional[int] = ..., conversation_id: _Optional[int] = ..., served_type: _Optional[str] = ...) -> None: ...

class FeedItem(_message.Message):
    __slots__ = ("position", "post", "ad", "who_to_follow", "prompt", "push_to_home")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    POST_FIELD_NUMBER: _ClassVar[int]
    AD_FIELD_NUMBER: _ClassVar[int]
    WHO_TO_FOLLOW_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    PUSH_TO_HOME_FIELD_NUMBER: _ClassVar[int]
    position: int
    post: ScoredPost
    ad: Ad
    who_to_follow: WhoToFollow
    prompt: Prompt
    push_to_home: PushToHome
    def __init__(self, position: _Optional[int] = ..., post: _Optional[_Union[ScoredPost, _Mapping]] = ..., ad: _Optional[_Union[Ad, _Mapping]] = ..., who_to_follow: _Optional[_Union[WhoToFollow, _Mapping]] = ..., prompt: _Optional[_Union[Prompt, _Mapping]] = ..., push_to_home: _Optional[_Union[PushToHome, _Mapping]] = ...) -> None: ...

class ForYouFeedResponse(_message.Message):
    __slots__ = ("request_id", "items")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    items: _containers.RepeatedCompositeFieldContainer[FeedItem]
    def __init__(self, request_id: _Optional[int] = ..., items: _Optional[_Iterable[_Union[FeedItem, _Mapping]]] = ...) -> None: ...

class ForYouTimelineResponse(_message.Message):
    __slots__ = ("request_id", "items", "bottom_cursor", "top_cursor")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TOP_CURSOR_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    items: _containers.RepeatedCompositeFieldContainer[FeedItem]
    bottom_cursor: str
    top_cursor: str
    def __init__(self, request_id: _Optional[int] = ..., items: _Optional[_Iterable[_Union[FeedItem, _Mapping]]] = ..., bottom_cursor: _Optional[str] = ..., top_cursor: _Optional[str] = ...) -> None: ...
