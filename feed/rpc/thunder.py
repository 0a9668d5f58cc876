"""Thunder over gRPC: the server around a post store, and the client that stands in for one.

Both speak in `Request` and `Found`, so that the feed does not know which of the two it asks.
"""

import time
from functools import cached_property

import grpc
import numpy as np

from accounts.selectors import graph
from feed.rpc.generated import thunder_pb2 as messages
from feed.rpc.generated import thunder_pb2_grpc as rpc
from feed.rpc.server import NOBODY, Access, Service
from feed.thunder.listener import OK
from feed.thunder.post_store import Found, PostColumns, Request
from feed.thunder.service import Backend
from xsocial.kernel.errors import Invalid, Unavailable

SERVICE_NAME = messages.DESCRIPTOR.services_by_name["InNetworkPostsService"].full_name
# Of the time a caller gives, the part the scan may use; the rest is for the way back.
SCAN_SHARE = 0.8
TIMEOUT_S = 0.1

_WIRE_ID = np.dtype("<i8")
# Column of the store -> field of the message.
_ID_FIELDS = {
    "post_id": "post_id",
    "author_id": "author_id",
    "created_ms": "created_ms",
    "in_reply_to_id": "in_reply_to_post_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "repost_of_id": "source_post_id",
    "repost_of_user_id": "source_user_id",
    "conversation_id": "conversation_id",
}
_REASONS = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: "refused",
    grpc.StatusCode.DEADLINE_EXCEEDED: "late",
    grpc.StatusCode.UNAVAILABLE: "not_ready",
}


class InNetworkPostsServicer(rpc.InNetworkPostsServiceServicer):
    """Answers from a backend, which refuses by raising Unavailable."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def GetInNetworkPosts(  # noqa: N802 - named by the proto
        self, request: messages.GetInNetworkPostsRequest, context: grpc.ServicerContext
    ) -> messages.GetInNetworkPostsResponse:
        if request.debug and not request.following_user_ids:
            request.following_user_ids = _bytes(graph.following_ids(request.user_id))
        return answer(self._backend, request, context.time_remaining())


def service(backend: Backend) -> Service:
    """The service over this backend, ready to be added to a server."""
    servicer = InNetworkPostsServicer(backend)
    return Service(SERVICE_NAME, lambda server: rpc.add_InNetworkPostsServiceServicer_to_server(servicer, server))


class RemoteThunder:
    """A `Backend` in another process. The channel opens with the first question."""

    def __init__(self, target: str, *, access: Access = NOBODY, timeout_s: float = TIMEOUT_S) -> None:
        self._target = target
        self._access = access
        self._timeout_s = timeout_s
        self.state = OK  # how the last question went

    def lookup(self, request: Request) -> Found:
        """The answer of the other process. Raises Unavailable with the reason."""
        timeout_s = seconds_left(request, self._timeout_s)
        try:
            found = self._stub.GetInNetworkPosts(question(request), timeout=timeout_s, metadata=self._access.metadata)
        except grpc.RpcError as error:
            reason = _REASONS.get(error.code(), "failed")
            self.state = f"{self._target}: {reason}"
            raise Unavailable("Thunder does not answer.", extra={"reason": reason}) from error
        self.state = OK
        return found_in(found)

    @cached_property
    def _stub(self) -> rpc.InNetworkPostsServiceStub:
        return rpc.InNetworkPostsServiceStub(self._access.channel(self._target))


def question(request: Request) -> messages.GetInNetworkPostsRequest:
    """A request as it travels, without its deadline."""
    return messages.GetInNetworkPostsRequest(
        user_id=request.viewer_id,
        following_user_ids=_bytes(request.following),
        exclude_post_ids=_bytes(request.exclude),
        max_results=request.max_results,
        is_video_request=request.videos_only,
    )


def seconds_left(request: Request, otherwise: float) -> float:
    """How long its caller waits for the answer."""
    return otherwise if request.deadline is None else max(request.deadline - time.monotonic(), 0.001)


def answer(
    backend: Backend, asked: messages.GetInNetworkPostsRequest, remaining_s: float | None
) -> messages.GetInNetworkPostsResponse:
    """What the backend finds within the caller's time. Raises Invalid, and Unavailable as the backend does."""
    if not asked.user_id:
        raise Invalid("user_id is needed.")
    found = backend.lookup(
        Request(
            viewer_id=asked.user_id,
            following=_ids(asked.following_user_ids),
            exclude=_ids(asked.exclude_post_ids),
            max_results=asked.max_results,
            videos_only=asked.is_video_request,
            deadline=_scan_deadline(remaining_s),
        )
    )
    return messages.GetInNetworkPostsResponse(
        posts=_to_message(found.posts), complete=found.complete, path=found.path, scanned=found.scanned
    )


def found_in(message: messages.GetInNetworkPostsResponse) -> Found:
    """An answer as it arrived. Raises Invalid for columns that are cut off."""
    return Found(_from_message(message.posts), message.complete, message.path, message.scanned)


def _scan_deadline(remaining_s: float | None) -> float | None:
    return None if remaining_s is None else time.monotonic() + SCAN_SHARE * remaining_s


def _ids(column: bytes) -> np.ndarray:
    """An id column of a message. Raises Invalid when it is cut off inside an id."""
    if len(column) % _WIRE_ID.itemsize:
        raise Invalid("An id column must hold whole 64-bit integers.")
    return np.frombuffer(column, _WIRE_ID).astype(np.int64)


def _bytes(column: np.ndarray) -> bytes:
    return column.astype(_WIRE_ID).tobytes()


def _to_message(posts: PostColumns) -> messages.LightPosts:
    id_columns = {field: _bytes(getattr(posts, name)) for name, field in _ID_FIELDS.items()}
    return messages.LightPosts(**id_columns, has_video=posts.has_video.astype(np.bool_).tobytes())


def _from_message(posts: messages.LightPosts) -> PostColumns:
    id_columns = {name: _ids(getattr(posts, field)) for name, field in _ID_FIELDS.items()}
    return PostColumns(**id_columns, has_video=np.frombuffer(posts.has_video, np.bool_).copy())
