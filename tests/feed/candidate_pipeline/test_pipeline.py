"""The framework's contract: order of stages, merging, failures, truncation, side effects."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from feed.candidate_pipeline import (
    Background,
    Batch,
    Budgets,
    Cancelled,
    Deadline,
    Hydrated,
    Result,
    Threads,
)

from .components import (
    SCHEMA,
    FilterPart,
    HydratorPart,
    Query,
    QueryPart,
    ScorerPart,
    SideEffectPart,
    SourcePart,
    TopScore,
    fails,
    ids,
    pipeline,
    slowly,
)

POOL = Threads(16)
ROOMY = Budgets(request_ms=20_000, stage_ms={})


def selected(result):
    return result.selected["id"].tolist()


def test_sources_are_concatenated_in_declared_order_not_completion_order():
    parts = (SourcePart("Slow", slowly(0.05, ids(1, 2))), SourcePart("Fast", ids(3)))
    result = pipeline(sources=parts, workers=POOL, budgets=ROOMY).execute(Query())
    assert selected(result) == [1, 2, 3]


@pytest.mark.parametrize("stage", ["query_hydrators", "sources", "hydrators", "scorers"])
def test_a_failing_component_leaves_the_others_and_is_counted_once(stage):
    parts = {
        "query_hydrators": (QueryPart("Q", lambda q: {"first": 7}, writes=("first",)),),
        "sources": (SourcePart("S", ids(1, 2)),),
        "hydrators": (HydratorPart("H", lambda q, b: {"a": b["id"] * 2.0}),),
        "scorers": (ScorerPart("Sc", lambda q, b: {"score": b["id"] * 1.0}),),
    }
    broken = {
        "query_hydrators": QueryPart,
        "sources": SourcePart,
        "hydrators": HydratorPart,
        "scorers": ScorerPart,
    }[stage]("Broken", fails)
    parts[stage] = (broken, *parts[stage])
    result = pipeline(**parts).execute(Query())
    assert [fault.name for fault in result.faults] == ["Broken"]
    assert result.query.first == 7
    assert selected(result) == [2, 1]
    assert result.selected["a"].tolist() == [4.0, 2.0]


def test_a_hydrator_of_wrong_length_changes_nothing_and_warns_once(caplog):
    short = HydratorPart("Short", lambda q, b: {"a": np.ones(b.n - 1), "b": np.ones(b.n)})
    result = pipeline(hydrators=(short,)).execute(Query())
    assert np.isnan(result.selected["a"]).all()
    assert np.isnan(result.selected["b"]).all()
    assert result.failed("Short")
    assert "expected 5 rows" in result.faults[0].error
    assert len(result.faults) == 1


def test_one_item_that_errs_lacks_only_its_own_field():
    def hydrate(query, batch):
        return Hydrated({"a": batch["id"] * 1.0}, ok=batch["id"] != 3)

    result = pipeline(hydrators=(HydratorPart("Partial", hydrate),)).execute(Query())
    values = dict(zip(selected(result), result.selected["a"].tolist(), strict=True))
    assert np.isnan(values.pop(3))
    assert values == {1: 1.0, 2: 2.0, 4: 4.0, 5: 5.0}


def test_later_declared_hydrator_wins_and_neither_sees_the_other():
    seen = []

    def writes(value):
        def hydrate(query, batch):
            seen.append(batch["a"].tolist())
            return {"a": np.full(batch.n, value)}

        return hydrate

    parts = (
        HydratorPart("One", slowly(0.03, writes(1.0))),
        HydratorPart("Two", writes(2.0)),
    )
    result = pipeline(hydrators=parts, workers=POOL, budgets=ROOMY).execute(Query())
    assert set(result.selected["a"].tolist()) == {2.0}
    assert np.isnan(seen).all()


def test_what_is_urgent_begins_first_and_is_merged_where_it_was_declared():
    begun = []

    def writes(value):
        def hydrate(query, batch):
            begun.append(value)
            return {"a": np.full(batch.n, value)}

        return hydrate

    parts = [HydratorPart(f"H{value}", writes(value), urgency=value % 3) for value in (5.0, 0.0, 4.0, 3.0)]
    result = pipeline(hydrators=tuple(parts), workers=Threads(4, lanes=1), budgets=ROOMY).execute(Query())
    assert begun == [5.0, 4.0, 0.0, 3.0]
    assert set(result.selected["a"].tolist()) == {3.0}


def test_a_hydrator_cannot_write_a_column_it_did_not_declare():
    greedy = HydratorPart("Greedy", lambda q, b: {"score": np.ones(b.n)})
    result = pipeline(hydrators=(greedy,)).execute(Query())
    assert result.failed("Greedy")
    assert np.isnan(result.selected["score"]).all()


def test_dependent_query_hydrators_see_the_first_stage():
    second = QueryPart("Second", lambda q: {"second": q.first + 1}, writes=("second",))
    first = QueryPart("First", lambda q: {"first": 10}, writes=("first",))
    result = pipeline(query_hydrators=(first,), dependent_query_hydrators=(second,)).execute(Query())
    assert result.query.second == 11
    names = [report.stage for report in pipeline().execute(Query()).stages]
    assert "dependent_query_hydrators" not in names


def test_query_hydrators_of_one_stage_see_the_same_query():
    first = QueryPart("First", lambda q: {"first": 10}, writes=("first",))
    other = QueryPart("Other", lambda q: {"second": q.first}, writes=("second",))
    assert pipeline(query_hydrators=(first, other)).execute(Query()).query == Query(first=10)


def test_a_scorer_sees_the_scorer_before_it():
    one = ScorerPart("One", lambda q, b: {"a": b["id"] * 10.0})
    two = ScorerPart("Two", lambda q, b: {"score": b["a"] + 1})
    assert pipeline(scorers=(one, two)).execute(Query()).selected["score"][0] == 51.0


def test_filters_run_in_order_and_removed_is_a_disjoint_union():
    odd = FilterPart("Odd", lambda q, b: b["id"] % 2 == 1)
    small = FilterPart("Small", lambda q, b: b["id"] < 5)
    late = FilterPart("Late", lambda q, b: b["id"] != 1)
    run = pipeline(filters=(odd, small), post_selection_filters=(late,)).execute(Query())
    assert [(r.filter, r.rows["id"].tolist()) for r in run.removed] == [
        ("Odd", [2, 4]),
        ("Small", [5]),
        ("Late", [1]),
    ]
    gone = [row for part in run.removed for row in part.rows["id"].tolist()]
    assert sorted(gone + selected(run)) == [1, 2, 3, 4, 5]
    assert run.non_selected.n == 0


def test_a_broken_filter_keeps_everything_unless_it_guards_privacy():
    result = pipeline(filters=(FilterPart("Open", fails),)).execute(Query())
    assert result.selected.n == 5
    assert result.failed("Open")
    guard = FilterPart("Guard", fails, keeps_on_fault=False)
    assert pipeline(filters=(guard,)).execute(Query()).selected.n == 0


def test_a_filter_of_wrong_length_is_a_fault():
    wrong = FilterPart("Wrong", lambda q, b: np.ones(b.n + 1, dtype=bool))
    result = pipeline(filters=(wrong,)).execute(Query())
    assert result.failed("Wrong")
    assert result.selected.n == 5


def test_retrieved_is_the_hydrated_unfiltered_snapshot():
    scorer = ScorerPart("S", lambda q, b: {"score": b["id"] * 1.0, "a": np.zeros(b.n)})
    hydrator = HydratorPart("H", lambda q, b: {"a": b["id"] * 2.0})
    odd = FilterPart("Odd", lambda q, b: b["id"] % 2 == 1)
    run = pipeline(hydrators=(hydrator,), filters=(odd,), scorers=(scorer,)).execute(Query())
    assert run.retrieved["id"].tolist() == [1, 2, 3, 4, 5]
    assert run.retrieved["a"].tolist() == [2, 4, 6, 8, 10]
    assert np.isnan(run.retrieved["score"]).all()
    assert run.selected["a"].tolist() == [0, 0, 0]


def test_overflow_joins_the_end_of_the_rest_and_nothing_is_refilled():
    scorer = ScorerPart("S", lambda q, b: {"score": -b["id"] * 1.0})
    late = FilterPart("Late", lambda q, b: b["id"] != 1)
    run = pipeline(
        scorers=(scorer,),
        selector=TopScore(4),
        post_selection_filters=(late,),
        result_size=lambda q: 2,
    ).execute(Query())
    assert selected(run) == [2, 3]
    assert run.non_selected["id"].tolist() == [5, 4]
    short = pipeline(selector=TopScore(1), post_selection_filters=(late,)).execute(Query())
    assert selected(short) == []


def test_ties_keep_source_order_and_a_missing_score_is_last():
    scores = np.array([1.0, np.nan, 2.0, 1.0, 2.0])
    run = pipeline(scorers=(ScorerPart("S", lambda q, b: {"score": scores}),)).execute(Query())
    assert selected(run) == [3, 5, 1, 4, 2]


def test_a_disabled_selector_takes_everything_unsorted():
    class Off(TopScore):
        def enabled(self, query):
            return False

    run = pipeline(
        selector=Off(2),
        scorers=(ScorerPart("S", lambda q, b: {"score": b["id"] * 1.0}),),
    ).execute(Query())
    assert selected(run) == [1, 2, 3, 4, 5]


def test_side_effects_neither_delay_nor_change_the_response():
    seen = threading.Event()

    def watch(result):
        assert selected(result) == [5, 4]
        seen.set()

    background = Background(3)
    effects = (
        SideEffectPart("Sleeps", slowly(5, lambda r: None)),
        SideEffectPart("Raises", fails),
        SideEffectPart("Watches", watch),
    )
    started = time.monotonic()
    run = pipeline(
        scorers=(ScorerPart("S", lambda q, b: {"score": b["id"] * 1.0}),),
        result_size=lambda q: 2,
        side_effects=effects,
        background=background,
    ).execute(Query())
    assert time.monotonic() - started < 2
    assert selected(run) == [5, 4]
    assert seen.wait(2)


def test_a_full_background_queue_takes_only_what_is_essential():
    gate = threading.Event()
    background = Background(1, limit=2)
    taken = [background.submit(lambda: gate.wait(5)) for _ in range(4)]
    kept = [background.submit(lambda: gate.wait(5), essential=True) for _ in range(4)]
    gate.set()
    background.drain()
    assert taken == [True, True, False, False]
    assert kept == [True, True, False, False]


def test_side_effects_that_find_no_room_are_reported():
    gate, reports = threading.Event(), []
    wait = SideEffectPart("Waits", lambda result: gate.wait(5))
    kept = SideEffectPart("Kept", lambda result: None)
    kept.essential = True
    background = Background(1, limit=1)
    pipeline(
        side_effects=(wait, SideEffectPart("Dropped", fails), kept),
        background=background,
        observer=lambda name, report: reports.append(report),
    ).execute(Query())
    gate.set()
    background.drain()
    found = {
        part.name: part.state for report in reports if report.stage == "side_effects" for part in report.components
    }
    assert found == {"Waits": "ok", "Dropped": "dropped", "Kept": "ok"}


def test_side_effects_leave_the_page_its_head_start():
    background, began = Background(1, head_start_s=0.05), []
    submitted = time.monotonic()
    background.submit(lambda: began.append(time.monotonic()))
    background.drain()
    assert began[0] - submitted >= 0.05


def test_a_disabled_component_is_never_called():
    parts = {
        "query_hydrators": (QueryPart("Q", fails, on=False),),
        "sources": (SourcePart("S", ids(1)), SourcePart("S2", fails, on=False)),
        "hydrators": (HydratorPart("H", fails, on=False),),
        "filters": (FilterPart("F", fails, on=False),),
        "scorers": (ScorerPart("Sc", fails, on=False),),
        "side_effects": (SideEffectPart("E", fails, on=False),),
    }
    run = pipeline(**parts).execute(Query())
    assert selected(run) == [1]
    assert run.faults == ()
    assert [p.calls for group in parts.values() for p in group if not p.enabled(Query())] == [0] * 6


def test_fifty_concurrent_requests_share_no_state():
    hydrator = HydratorPart(
        "H",
        lambda q, b: slowly(random.random() / 200, lambda: {"a": np.full(b.n, q.first)})(),
    )
    source = SourcePart("S", lambda q: Batch.of(SCHEMA, id=np.arange(1, 4) + q.first * 10))
    shared = pipeline(sources=(source,), hydrators=(hydrator,), workers=POOL, budgets=ROOMY)
    with ThreadPoolExecutor(16) as callers:
        runs = list(callers.map(lambda n: shared.execute(Query(first=n)), range(50)))
    for number, run in enumerate(runs):
        assert run.selected["id"].tolist() == [number * 10 + k for k in (1, 2, 3)]
        assert set(run.selected["a"].tolist()) == {number}


def test_same_answers_give_the_same_output_whatever_the_completion_order():
    def run():
        def pause():
            return random.random() / 100

        sources = tuple(SourcePart(f"S{k}", slowly(pause(), ids(*range(k * 10, k * 10 + 3)))) for k in range(4))
        hydrators = tuple(
            HydratorPart(f"H{k}", slowly(pause(), lambda q, b, k=k: {"a": b["id"] * 1.0 + k})) for k in range(4)
        )
        made = pipeline(sources=sources, hydrators=hydrators, workers=POOL, budgets=ROOMY)
        return made.execute(Query()).selected.rows(["id", "a"])

    first = run()
    assert all(run() == first for _ in range(5))


def test_a_late_component_counts_as_failed_and_its_late_answer_is_ignored():
    late = HydratorPart("Late", slowly(0.2, lambda q, b: {"a": np.ones(b.n)}), timeout_ms=20)
    quick = HydratorPart("Quick", lambda q, b: {"b": np.ones(b.n)})
    run = pipeline(hydrators=(late, quick), workers=POOL, budgets=ROOMY).execute(Query())
    assert [(f.name, f.state) for f in run.faults] == [("Late", "late")]
    time.sleep(0.25)
    assert np.isnan(run.selected["a"]).all()
    assert set(run.selected["b"].tolist()) == {1.0}


def test_the_requests_remaining_budget_bounds_every_component():
    slow = SourcePart("Slow", slowly(0.2, ids(9)))
    started = time.monotonic()
    run = pipeline(sources=(slow, SourcePart("Here", ids(1), inline=True)), workers=POOL).execute(
        Query(), deadline=Deadline.after(30)
    )
    assert time.monotonic() - started < 0.15
    assert selected(run) == [1]


def test_cancelling_the_request_stops_it():
    deadline = Deadline.after(10_000)
    scorer = ScorerPart("Never", fails)
    with pytest.raises(Cancelled):
        pipeline(
            hydrators=(HydratorPart("Leaves", lambda q, b: deadline.cancel() or {}),),
            scorers=(scorer,),
        ).execute(Query(), deadline=deadline)
    assert scorer.calls == 0


def test_a_caller_who_has_gone_is_no_mystery(caplog):
    def leaves(query):
        raise Cancelled

    pipeline(sources=(SourcePart("RunsAnother", leaves),)).execute(Query())
    assert [(record.exc_info, record.message) for record in caplog.records] == [
        (None, "RunsAnother failed: Cancelled()")
    ]


def test_a_traceback_is_logged_once_a_minute_per_component(caplog):
    made = pipeline(sources=(SourcePart("OnceAMinute", fails),))
    for _ in range(3):
        made.execute(Query())
    records = [r for r in caplog.records if "OnceAMinute" in r.getMessage()]
    assert [bool(r.exc_info) for r in records] == [True, False, False]


def test_the_observer_sees_every_stage_with_counts():
    seen = []
    odd = FilterPart("Odd", lambda q, b: b["id"] % 2 == 1)
    pipeline(filters=(odd,), observer=lambda name, report: seen.append((name, report))).execute(Query())
    report = {report.stage: report for _, report in seen}["filters"]
    assert (report.rows_in, report.rows_out, report.removed_rate) == (5, 3, 0.4)
    assert [(part.name, part.size) for part in report.components] == [("Odd", 2)]
    assert {name for name, _ in seen} == {"test"}


def test_an_empty_pool_of_candidates_runs_to_an_empty_page():
    run = pipeline(sources=(SourcePart("None", ids()),), scorers=(ScorerPart("S", fails),)).execute(Query())
    assert run.selected.n == 0
    assert run.faults == ()


def test_finalize_may_edit_the_final_list():
    run = pipeline(finalize=lambda q, batch: batch.take(np.array([1, 0]))).execute(Query())
    assert selected(run) == [2, 1]


def test_empty_result_short_circuits():
    run = Result.empty(Query(), Batch.empty(SCHEMA))
    assert (run.retrieved.n, run.selected.n, run.removed) == (0, 0, ())
