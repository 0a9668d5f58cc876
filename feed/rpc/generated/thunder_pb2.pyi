from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetInNetworkPostsRequest(_message.Message):
    __slots__ = ("user_id", "following_user_ids", "exclude_post_ids", "max_results", "is_video_request", "debug")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWING_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_POST_IDS_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    IS_VIDEO_REQUEST_FIELD_NUMBER: _ClassVar[int]
    DEBUG_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    following_user_ids: bytes
    exclude_post_ids: bytes
    max_results: int
    is_video_request: bool
    debug: bool
    def __init__(self, user_id: _Optional[int] = ..., following_user_ids: _Optional[bytes] = ..., exclude_post_ids: _Optional[bytes] = ..., max_results: _Optional[int] = ..., is_video_request: _Optional[bool] = ..., debug: _Optional[bool] = ...) -> None: ...

class GetInNetworkPostsResponse(_message.Message):
    __slots__ = ("posts", "complete", "path", "scanned")
    POSTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SCANNED_FIELD_NUMBER: _ClassVar[int]
    posts: LightPosts
    complete: bool
    path: str
    scanned: int
    def __init__(self, posts: _Optional[_Union[LightPosts, _Mapping]] = ..., complete: _Optional[bool] = ..., path: _Optional[str] = ..., scanned: _Optional[int] = ...) -> None: ...

class LightPosts(_message.Message):
    __slots__ = ("post_id", "author_id", "created_ms", "in_reply_to_post_id", "in_reply_to_user_id", "source_post_id", "source_user_id", "conversation_id", "has_video")
    POST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_MS_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_POST_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_POST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    HAS_VIDEO_FIELD_NUMBER: _ClassVar[int]
    post_id: bytes
    author_id: bytes
    created_ms: bytes
    in_reply_to_post_id: bytes
    in_reply_to_user_id: bytes
    source_post_id: bytes
    source_user_id: bytes
    conversation_id: bytes
    has_video: bytes
    def __init__(self, post_id: _Optional[bytes] = ..., author_id: _Optional[bytes] = ..., created_ms: _Optional[bytes] = ..., in_reply_to_post_id: _Optional[bytes] = ..., in_reply_to_user_id: _Optional[bytes] = ..., source_post_id: _Optional[bytes] = ..., source_user_id: _Optional[bytes] = ..., conversation_id: _Optional[bytes] = ..., has_video: _Optional[bytes] = ...) -> None: ...
