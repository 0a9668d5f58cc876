"""What goes into the plans, what they share while running, and what comes out."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.grox.documents import Document
from moderation.grox.screening import BatchScores
from moderation.types import AnnotationState


class Stream(StrEnum):
    """Why a post is looked at. Each stream injects a fixed set of eligibilities.

    A small site screens every post at once, so its own four streams carry what upstream spreads over
    several; the others keep their published names and sets, for replays and for larger sites.
    """

    REALTIME = "realtime"
    EDITED = "edited"
    RECOVERY = "recovery"
    MEDIA_READ = "media_read"
    POST_STREAM = "post_stream"
    MIN_TRACTION = "post_min_traction_for_grox"
    MIN_TRACTION_PTOS = "post_min_traction_for_grox_ptos"
    MIN_TRACTION_MULTI_MODAL = "post_min_traction_for_grox_multi_modal"
    EMBEDDING_REQUEST = "embedding_request_with_summary"
    EMBEDDING_REQUEST_RECOVERY = "embedding_request_with_summary_recovery"
    EMBEDDING_REQUEST_REPLY_RECOVERY = "embedding_request_with_summary_for_reply_recovery"
    EMBEDDING_V5 = "post_embedding_v5"
    EMBEDDING_V5_REPLY = "post_embedding_v5_for_reply"
    POST_SAFETY = "post_safety"
    SAFETY_PTOS_RECOVERY = "safety_ptos_recovery"
    SAFETY_PTOS_DELUXE = "safety_ptos_deluxe"
    REPLY_RANKING_RECOVERY = "reply_ranking_recovery"
    POST_STREAM_RECOVERY = "post_stream_recovery"
    TEST = "post_stream_test"
    POST_STREAM_DELAYED = "post_stream_delayed"


class Eligibility(StrEnum):
    """A plan runs only for payloads that carry its eligibility."""

    SPAM_COMMENT = "spam_comment"
    BANGER_INITIAL_SCREEN = "banger_initial_screen"
    POST_EMBEDDING_WITH_SUMMARY = "post_embedding_with_summary"
    POST_EMBEDDING_WITH_SUMMARY_FOR_REPLY = "post_embedding_with_summary_for_reply"
    MM_EMB_V4 = "mm_emb_v4"
    MM_EMB_V5 = "mm_emb_v5"
    MM_EMB_V5_FOR_REPLY = "mm_emb_v5_for_reply"
    REPLY_RANKING = "reply_ranking"
    SAFETY_PTOS = "safety_ptos"
    POST_SAFETY = "post_safety"


#: Posts in one message: enough company for the embedder, little to redo when a worker dies.
BATCH = 32

ALL = frozenset(
    {
        Eligibility.SPAM_COMMENT,
        Eligibility.REPLY_RANKING,
        Eligibility.BANGER_INITIAL_SCREEN,
        Eligibility.MM_EMB_V5,
        Eligibility.MM_EMB_V5_FOR_REPLY,
        Eligibility.SAFETY_PTOS,
        Eligibility.POST_SAFETY,
    }
)
WITH_SUMMARY = frozenset({Eligibility.POST_EMBEDDING_WITH_SUMMARY, Eligibility.POST_EMBEDDING_WITH_SUMMARY_FOR_REPLY})
INJECTED: dict[Stream, frozenset[Eligibility]] = {
    Stream.REALTIME: ALL,
    Stream.EDITED: ALL,
    Stream.RECOVERY: ALL,
    Stream.MEDIA_READ: ALL,
    Stream.POST_STREAM: frozenset({Eligibility.SPAM_COMMENT, Eligibility.REPLY_RANKING}),
    Stream.MIN_TRACTION: frozenset({Eligibility.BANGER_INITIAL_SCREEN}),
    Stream.MIN_TRACTION_PTOS: frozenset({Eligibility.SAFETY_PTOS}),
    Stream.MIN_TRACTION_MULTI_MODAL: frozenset({Eligibility.POST_EMBEDDING_WITH_SUMMARY_FOR_REPLY}),
    Stream.EMBEDDING_REQUEST: frozenset({Eligibility.POST_EMBEDDING_WITH_SUMMARY}),
    Stream.EMBEDDING_REQUEST_RECOVERY: frozenset({Eligibility.POST_EMBEDDING_WITH_SUMMARY}),
    Stream.EMBEDDING_REQUEST_REPLY_RECOVERY: frozenset({Eligibility.POST_EMBEDDING_WITH_SUMMARY_FOR_REPLY}),
    Stream.EMBEDDING_V5: frozenset({Eligibility.MM_EMB_V5}),
    Stream.EMBEDDING_V5_REPLY: frozenset({Eligibility.MM_EMB_V5_FOR_REPLY}),
    Stream.POST_SAFETY: frozenset({Eligibility.POST_SAFETY}),
    Stream.SAFETY_PTOS_RECOVERY: frozenset({Eligibility.SAFETY_PTOS}),
    Stream.SAFETY_PTOS_DELUXE: frozenset({Eligibility.SAFETY_PTOS}),
    Stream.REPLY_RANKING_RECOVERY: frozenset({Eligibility.REPLY_RANKING}),
    Stream.POST_STREAM_RECOVERY: frozenset({Eligibility.BANGER_INITIAL_SCREEN}),
    Stream.TEST: frozenset({Eligibility.BANGER_INITIAL_SCREEN}),
    Stream.POST_STREAM_DELAYED: frozenset(),
}


@dataclass(frozen=True)
class Payload:
    """One post to be looked at. `deadline` is epoch seconds; later it is dropped and counted."""

    document: Document
    scores: BatchScores
    stream: Stream
    eligibilities: frozenset[Eligibility]
    run_id: str = ""
    attempt: int = 0
    deadline: float | None = None

    @property
    def post_id(self) -> int:
        return self.document.post_id

    @property
    def is_expired(self) -> bool:
        return self.deadline is not None and time.time() > self.deadline


@dataclass
class Context:
    """The blackboard of one plan run. Tasks write `results` under their own names."""

    payload: Payload
    results: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    not_scored: str = ""
    unscored_media: str = ""  # why the attachments were not judged; empty when they were
    vector: NDArray[np.float32] | None = None  # to be stored
    doubt: str = ""  # why advertisers get no unreserved all-clear

    @property
    def document(self) -> Document:
        return self.payload.document


@dataclass(frozen=True)
class PlanResult:
    """How one plan ended for one post."""

    plan: str
    state: AnnotationState
    reason: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    milliseconds: float = 0.0


@dataclass(frozen=True)
class PayloadResult:
    """All plans of one payload. No plan at all is a success without results."""

    post_id: int
    plans: tuple[PlanResult, ...]

    @property
    def failed(self) -> tuple[PlanResult, ...]:
        return tuple(plan for plan in self.plans if plan.state is AnnotationState.FAILED)

    @property
    def is_success(self) -> bool:
        return not self.failed

    @property
    def errors(self) -> str:
        """The errors of all failed plans, a line each."""
        return "\n".join(f"{plan.plan}: {plan.reason}" for plan in self.failed)
