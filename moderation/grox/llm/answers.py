"""From what a model wrote to a checked value: JSON as asked, fenced, tagged or cut off; else an error."""

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.grox.classifiers.schemas import BoolMetadata
from xsocial.kernel import metrics

_TAGGED = re.compile(r"<json>(.*?)(?:</json>|\Z)", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*(.*?)(?:```|\Z)", re.DOTALL)
_CLOSERS = {"{": "}", "[": "]"}


class BadAnswer(Exception):
    """The model's answer is not what was asked for."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SpamAnswer(_Answer):
    decision: str = Field(pattern="^(spam|ham)$")
    reason: str = ""


class Found(_Answer):
    category: str
    score: float = Field(ge=0, le=100)
    reason: str = ""


class CategoriesAnswer(_Answer):
    violated_policies: tuple[Found, ...] = Field(alias="violatedPolicies")


class PolicyTypeAnswer(_Answer):
    policy_type: str = Field(alias="policyType")
    confidence: float = Field(alias="confidenceScore", ge=0, le=100)
    reason: str = ""


class SafetyAnswer(_Answer):
    tweet_bool_metadata: BoolMetadata


class TopicAnswer(_Answer):
    id: int
    score: float = Field(ge=0, le=1)


class QualityAnswer(_Answer):
    quality_score: float = Field(ge=0, le=1)
    description: str = ""
    tags: tuple[str, ...] = ()
    taxonomy_categories: tuple[TopicAnswer, ...] = ()
    tweet_bool_metadata: BoolMetadata = BoolMetadata()
    is_image_editable_by_grok: bool = False
    slop_score: int = Field(default=1, ge=1, le=3)
    has_minor_score: float = Field(default=0, ge=0, le=1)


class SummaryAnswer(_Answer):
    description: str = Field(min_length=1)


class ReplyAnswer(_Answer):
    score: float = Field(ge=0, le=3)
    reason: str = ""


A = TypeVar("A", bound=_Answer)


def parse(text: str, schema: type[A]) -> A:
    """Read an answer. Raise BadAnswer: a missing or odd answer is never taken for harmless."""
    for candidate in _candidates(text):
        for repaired, source in ((False, candidate), (True, _closed(candidate))):
            try:
                answer = schema.model_validate(json.loads(source))
            except (json.JSONDecodeError, ValidationError, RecursionError):
                continue
            if repaired:
                metrics.counter("grox_llm_repaired", "Answers that were cut off and closed").inc()
            return answer
    metrics.counter("grox_llm_invalid", "Answers that could not be read", ("schema",)).labels(schema.__name__).inc()
    raise BadAnswer(f"no {schema.__name__} in the answer")


def _candidates(text: str) -> list[str]:
    """Where the answer may stand, the likeliest first: models put it last, after their reasoning."""
    text = text.strip()
    found = [match.strip() for match in reversed(_TAGGED.findall(text))]
    found += [match.strip() for match in reversed(_FENCED.findall(text))]
    start = text.find("{")
    return [*found, text, text[start:]] if start > 0 else [*found, text]


def _closed(text: str) -> str:
    """Close the strings, lists and objects that a cut-off answer left open."""
    stack: list[str] = []
    is_string = is_escaped = False
    for char in text:
        if is_string:
            if is_escaped:
                is_escaped = False
            elif char == "\\":
                is_escaped = True
            elif char == '"':
                is_string = False
        elif char == '"':
            is_string = True
        elif char in _CLOSERS:
            stack.append(_CLOSERS[char])
        elif stack and char == stack[-1]:
            stack.pop()
    return text.rstrip(", \n") + ('"' if is_string else "") + "".join(reversed(stack))
