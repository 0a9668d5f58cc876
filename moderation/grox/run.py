"""Analysing a batch of posts: load together, embed together, run the plans over all of them, write down the rest."""

import time
from collections.abc import Iterable

from moderation.grox import sinks
from moderation.grox.documents import load_documents
from moderation.grox.embedders import summaries
from moderation.grox.engine import run_payloads
from moderation.grox.payload import INJECTED, WITH_SUMMARY, Eligibility, Payload, PayloadResult, Stream
from moderation.grox.plans import all_plans
from moderation.grox.screening import BatchScores
from moderation.types import AnnotationState
from posts.selectors.embeddings import kept_versions
from xsocial.kernel import clock, ids, metrics


def analyze(
    post_ids: Iterable[int], *, stream: Stream, run_id: str = "", attempt: int = 0, deadline: float | None = None
) -> list[PayloadResult]:
    """Analyse posts that exist; returns one result a post. Failures are in the results, not raised.

    `run_id` names the message: a redelivered one may pass the window that its first delivery opened.
    """
    documents = load_documents(post_ids)
    scores = BatchScores(documents)
    eligibilities = _eligibilities(stream)
    payloads = [
        Payload(document, scores, stream, eligibilities, run_id=run_id, attempt=attempt, deadline=deadline)
        for document in documents
    ]
    results = _run([payload for payload in payloads if not _dropped(payload)])
    if Eligibility.MM_EMB_V5 in eligibilities:
        sinks.store_languages(documents)
    sinks.annotate(results, stream=stream, attempt=attempt, run_id=run_id)
    _measure(results)
    return results


def _eligibilities(stream: Stream) -> frozenset[Eligibility]:
    """What the stream injects; where posts are embedded, also by their summaries as long as those are kept."""
    injected = INJECTED[stream]
    if Eligibility.MM_EMB_V5 in injected and summaries.EMBEDDING in kept_versions():
        return injected | WITH_SUMMARY
    return injected


def _run(payloads: list[Payload]) -> list[PayloadResult]:
    """Run the plans: how many posts were received, succeeded or failed, and each one's share of the time."""
    count = metrics.counter("grox_payloads", "Posts in the engine", ("stream", "outcome"))
    seconds = metrics.histogram("grox_payload_seconds", "Duration of all plans of a post")
    started = time.perf_counter()
    results = run_payloads(payloads, all_plans())
    share = (time.perf_counter() - started) / max(1, len(payloads))
    for payload, result in zip(payloads, results, strict=True):
        count.labels(payload.stream, "received").inc()
        count.labels(payload.stream, "success" if result.is_success else "failed").inc()
        seconds.observe(share)
    return results


def _dropped(payload: Payload) -> bool:
    if payload.is_expired:
        metrics.counter("grox_expired", "Payloads past their deadline", ("stream",)).labels(payload.stream).inc()
    return payload.is_expired


def _measure(results: list[PayloadResult]) -> None:
    """End to end: from the creation of the post, which its id tells, to its labels."""
    now_ms = clock.now_ms()
    latency = metrics.histogram(
        "grox_latency_seconds",
        "From post to what a plan found",
        ("plan",),
        buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600),
    )
    for result in results:
        seconds = max(0.0, (now_ms - ids.timestamp_ms(result.post_id)) / 1000)
        for plan in result.plans:
            if plan.state is not AnnotationState.SKIPPED:
                latency.labels(plan.plan).observe(seconds)
