"""What goes into the plans, what they share while running, and what comes out."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from moderation.grox.documents import Document
from moderation.grox.screening import BatchScores
from moderation.types import AnnotationState


class Stream(StrEnum):
    """Why a post is looked at. Each stream injects a fixed set of eligibilities."""

    REALTIME = "realtime"
    EDITED = "edited"
    RECOVERY = "recovery"
    TEST = "test"


class Eligibility(StrEnum):
    """A plan runs only for payloads that carry its eligibility."""

    SPAM_COMMENT = "spam_comment"
    BANGER_INITIAL_SCREEN = "banger_initial_screen"
    MM_EMB_V5 = "mm_emb_v5"
    SAFETY_PTOS = "safety_ptos"
    POST_SAFETY = "post_safety"


#: Posts in one message: enough company for the embedder, little to redo when a worker dies.
BATCH = 32

ALL = frozenset(Eligibility)
INJECTED: dict[Stream, frozenset[Eligibility]] = {
    Stream.REALTIME: ALL,
    Stream.EDITED: ALL,
    Stream.RECOVERY: ALL,
    Stream.TEST: ALL,
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
