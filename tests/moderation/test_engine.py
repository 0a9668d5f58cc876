"""The engine: graphs, skips, retries, failures."""

from itertools import pairwise

import numpy as np
import pytest

from moderation.grox.documents import Document
from moderation.grox.engine import BatchTask, Plan, SkipTask, Task, run_payloads, run_plan
from moderation.grox.payload import Eligibility, Payload, Stream
from moderation.grox.plans import all_plans
from moderation.grox.screening import BatchScores
from moderation.grox.sinks import Sink
from moderation.grox.tasks.classify import ModelTask
from moderation.types import AnnotationState

SAFETY, PTOS = Eligibility.POST_SAFETY, Eligibility.SAFETY_PTOS


class Step(Task):
    """Writes down that it ran; fails or skips as told."""

    def __init__(self, name, *, fails=0, skips=False):
        super().__init__(name)
        self.fails, self.skips, self.runs = fails, skips, 0

    def run(self, context):
        self.runs += 1
        if self.skips:
            raise SkipTask("not today")
        if self.runs <= self.fails:
            raise RuntimeError("broken")
        context.results[self.name] = self.runs


def payload(*eligibilities, deadline=None, post_id=1):
    document = Document(post_id, "text", "en", "", np.zeros(384, np.float32), np.zeros(384, np.float32))
    return Payload(document, BatchScores([document]), Stream.TEST, frozenset(eligibilities), deadline=deadline)


def plan(steps, depends_on=None, eligibility=SAFETY, **options):
    return Plan("plan", eligibility, {step.name: step for step in steps}, depends_on or {}, **options)


def test_undefined_dependency_and_cycle_are_refused():
    with pytest.raises(ValueError, match="undefined task b"):
        plan([Step("a")], {"a": ("b",)})
    with pytest.raises(ValueError, match="cycle"):
        plan([Step("a"), Step("b")], {"a": ("b",), "b": ("a",)})


def test_a_skip_takes_its_descendants_and_nothing_else():
    steps = [Step("a", skips=True), Step("b"), Step("c"), Step("d")]
    [result] = run_plan(plan(steps, {"b": ("a",), "c": ("b",)}), [payload(SAFETY)])
    assert [step.runs for step in steps] == [1, 0, 0, 1]
    assert result.state is AnnotationState.SKIPPED
    assert "not today" in result.reason


def test_a_task_is_tried_twice_with_a_pause():
    pauses = []
    step = Step("a", fails=1)
    [result] = run_plan(plan([step]), [payload(SAFETY)], sleep=pauses.append)
    assert (result.state, step.runs, pauses) == (AnnotationState.DONE, 2, [1.0])


def test_models_are_tried_once_and_sinks_three_times():
    assert ModelTask.attempts == 1
    assert (Sink.attempts, Sink.waits) == (3, (1.0, 2.0))
    assert (Task.attempts, Task.waits) == (2, (1.0,))


def test_a_failed_plan_says_why_cleans_up_and_spares_the_others():
    released = []
    broken = plan([Step("a", fails=9), Step("b")], {"b": ("a",)}, on_failure=released.append)
    fine = plan([Step("c")], eligibility=PTOS)
    [result] = run_payloads([payload(SAFETY, PTOS)], [broken, fine], sleep=lambda _: None)
    assert [p.state for p in result.plans] == [AnnotationState.FAILED, AnnotationState.DONE]
    assert not result.is_success
    assert "a: RuntimeError: broken" in result.errors
    assert broken.tasks["b"].runs == 0
    assert len(released) == 1


class Store(BatchTask):
    """Writes down which posts it was called with; fails while there is a bad one among them."""

    waits = (0.5,)

    def __init__(self, *, bad=(), skips=()):
        super().__init__("store")
        self.bad, self.skips, self.calls = bad, skips, []

    def run_batch(self, contexts):
        ids = [context.payload.post_id for context in contexts]
        self.calls.append(ids)
        if not set(self.bad).isdisjoint(ids):
            raise RuntimeError("broken")
        return {post_id: "not this one" for post_id in self.skips if post_id in ids}


def test_a_batch_is_written_at_once_and_stops_for_some():
    store = Store(skips=[2])
    after = Step("after")
    results = run_plan(plan([store, after], {"after": ("store",)}), [payload(SAFETY, post_id=n) for n in (1, 2, 3)])
    assert store.calls == [[1, 2, 3]]
    assert after.runs == 2
    assert [(result.state, result.reason) for result in results] == [
        ("done", ""),
        ("skipped", "store: not this one"),
        ("done", ""),
    ]


def test_one_bad_post_does_not_keep_a_batch_from_being_written():
    store, pauses, released = Store(bad=[2]), [], []
    posts = [payload(SAFETY, post_id=n) for n in (1, 2, 3)]
    results = run_plan(plan([store], on_failure=released.append), posts, sleep=pauses.append)
    assert store.calls == [[1, 2, 3], [1, 2, 3], [1], [2], [3]]
    assert [result.state for result in results] == ["done", "failed", "done"]
    assert pauses == [0.5]
    assert [context.payload.post_id for context in released] == [2]


def test_only_eligible_plans_run_and_none_is_a_success():
    steps = [Step("a"), Step("b")]
    plans = [plan([steps[0]]), plan([steps[1]], eligibility=PTOS)]
    [result] = run_payloads([payload(PTOS)], plans)
    assert len(result.plans) == 1
    assert [step.runs for step in steps] == [0, 1]
    [nothing] = run_payloads([payload()], plans)
    assert nothing.is_success
    assert nothing.plans == ()


def test_deadlines():
    assert payload(deadline=1.0).is_expired
    assert not payload().is_expired


def test_how_often_each_kind_of_step_is_tried():
    assert (Task.attempts, Task.waits) == (2, (1.0,))
    assert (Sink.attempts, Sink.waits) == (3, (1.0, 2.0))
    for step in (task for plan in all_plans() for task in plan.tasks.values()):
        if isinstance(step, ModelTask):
            assert step.attempts == 1


#: The nine published graphs, as chains of our names; what stands behind a slash follows the step before it too.
GRAPHS = {
    "post_embedding_v5": "rate_limit media asr embed store",
    "post_embedding_v5_for_reply": "rate_limit filter media asr embed store",
    "post_embedding_with_summary": "rate_limit filter media summarise embed store",
    "post_embedding_with_summary_for_reply": "rate_limit filter media summarise embed store",
    "post_safety": "filter rate_limit media screen write",
    "safety_ptos": "filter rate_limit media screen write",
    "initial_banger": "filter rate_limit media screen mark/write_topics",
    "reply_ranking": "filter rate_limit media rank write",
    "spam_comment": "filter rate_limit media detect write",
}


def test_there_are_nine_plans():
    assert {plan.name for plan in all_plans()} == set(GRAPHS)
    assert len({plan.eligibility for plan in all_plans()}) == 9


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name):
    (found,) = [plan for plan in all_plans() if plan.name == name]
    steps = [step.split("/") for step in GRAPHS[name].split()]
    assert found.edges == {(before[0], after) for before, group in pairwise(steps) for after in group}
