"""Every number that Grox publishes exists and moves when posts pass through."""

import pytest
from prometheus_client import REGISTRY

from moderation import tasks
from moderation.grox import in_flight, run, sinks
from moderation.grox.dispatcher import Dispatcher
from moderation.grox.documents import documents_of
from moderation.grox.generators import Generator
from moderation.grox.payload import Stream
from moderation.grox.text import MAX_CHARS
from tests.factories import PostFactory
from xsocial.kernel import redis

INSULT = "You are a worthless idiot, go to hell"
SPAM = "WIN a FREE phone now!!! Claim your prize at http://x.example"
MOVING = [
    ("grox_dispatched_total", {"stream": "realtime"}),
    ("grox_payloads_total", {"stream": "realtime", "outcome": "received"}),
    ("grox_payloads_total", {"stream": "realtime", "outcome": "success"}),
    ("grox_payloads_total", {"stream": "realtime", "outcome": "failed"}),
    ("grox_final_failures_total", {"stream": "realtime"}),
    ("grox_expired_total", {"stream": "realtime"}),
    ("grox_payload_seconds_count", {}),
    ("grox_plans_total", {"plan": "safety_ptos", "state": "executed"}),
    ("grox_plans_total", {"plan": "safety_ptos", "state": "done"}),
    ("grox_plans_total", {"plan": "post_safety", "state": "failed"}),
    ("grox_plan_seconds_count", {"plan": "safety_ptos"}),
    ("grox_tasks_total", {"plan": "safety_ptos", "task": "WritePolicy", "outcome": "exec"}),
    ("grox_tasks_total", {"plan": "safety_ptos", "task": "WritePolicy", "outcome": "intaken"}),
    ("grox_tasks_total", {"plan": "safety_ptos", "task": "WritePolicy", "outcome": "success"}),
    ("grox_tasks_total", {"plan": "post_safety", "task": "WriteSafety", "outcome": "failed"}),
    ("grox_tasks_total", {"plan": "post_safety", "task": "PostSafetyFilter", "outcome": "skipped"}),
    ("grox_rate_limit_total", {"plan": "safety_ptos", "passed": "true"}),
    ("grox_rate_limit_total", {"plan": "safety_ptos", "passed": "false"}),
    ("grox_filtered_total", {"filter": "PostSafetyFilter", "reason": "reply"}),
    ("grox_eligible_total", {"filter": "SpamCommentFilter"}),
    ("grox_classifiers_total", {"classifier": "PolicyScreen", "outcome": "request"}),
    ("grox_classifiers_total", {"classifier": "PolicyScreen", "outcome": "success"}),
    ("grox_classifiers_total", {"classifier": "QualityScreen", "outcome": "error"}),
    ("grox_classifier_seconds_count", {"classifier": "PolicyScreen"}),
    ("grox_findings_total", {"category": "SPAM_COMMENT", "positive": "true"}),
    ("grox_findings_total", {"category": "BANGER_INITIAL_SCREEN", "positive": "false"}),
    ("grox_banger_score_count", {}),
    ("grox_topic_catalogue_total", {"outcome": "load"}),
    ("grox_reply_scores_total", {"score": "0"}),
    ("grox_violations_total", {"category": "HateOrAbuse", "policy": "InsultsWithTarget"}),
    ("grox_flags_total", {"flag": "is_hateful"}),
    ("grox_labels_total", {"label": "FOSNR_ABUSE_INSULTS"}),
    ("grox_embedding_seconds_count", {"step": "render"}),
    ("grox_embedding_seconds_count", {"step": "encode"}),
    ("grox_truncated_total", {}),
    ("grox_latency_seconds_count", {"plan": "safety_ptos"}),
    ("grox_latency_seconds_count", {"plan": "post_embedding_v5"}),
]


def read():
    return [REGISTRY.get_sample_value(f"xsocial_{name}", labels) or 0.0 for name, labels in MOVING]


def fail(*_):
    raise RuntimeError("away")


@pytest.mark.django_db
def test_all_metrics_move(monkeypatch, settings):
    monkeypatch.setattr(sinks.Sink, "waits", (0.0,))
    redis.client("broker").delete(in_flight.KEY)
    before = read()
    insult, root = PostFactory(text=INSULT), PostFactory()
    spam = PostFactory(in_reply_to=root, text=SPAM)
    dispatcher = Dispatcher("test", [Generator(Stream.REALTIME)])
    for post in (insult, root, spam):
        dispatcher.waiting.put(Stream.REALTIME, post.pk)
    monkeypatch.setattr(
        tasks.analyze_posts, "apply_async", lambda args, kwargs, **_: tasks.analyze_posts(*args, **kwargs)
    )
    assert dispatcher.flush() == 3
    run.analyze([insult.pk], stream=Stream.REALTIME)  # within the window: passes nothing
    run.analyze([insult.pk], stream=Stream.REALTIME, deadline=1.0)
    settings.GROX_REPLY_FOLLOWER_THRESHOLD = -1  # every reply is to a large account
    run.analyze([PostFactory(in_reply_to=root, text=SPAM).pk], stream=Stream.REALTIME)
    monkeypatch.setattr(sinks.WriteSafety, "run", fail)
    monkeypatch.setattr("moderation.grox.tasks.classify.reading.quality_of", fail)
    tasks.analyze_posts([PostFactory().pk], attempt=tasks.max_attempts() - 1)
    documents_of([1], ["word " * MAX_CHARS])
    still = [row for row, was, now in zip(MOVING, before, read(), strict=True) if now <= was]
    assert still == []
    assert REGISTRY.get_sample_value("xsocial_grox_in_flight") is not None
