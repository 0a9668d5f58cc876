"""Exit codes and outputs of the commands that need no database."""

import json
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

FIXTURE = Path(__file__).parents[1] / "fixtures" / "phoenix"


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_verify_is_green_on_the_fixture():
    out = run("phoenix_verify", str(FIXTURE), str(FIXTURE / "golden.npz"))
    assert "260 of 260 arrays within tolerance" in out


def test_kernels_are_compiled_without_a_database():
    times = re.findall(r"([\d.]+) ms exactly, ([\d.]+) in bfloat16", run("phoenix_compile"))
    assert len(times) == 1
    assert all(float(ms) > 0 for ms in times[0])


def test_verify_exits_1_when_an_array_differs(tmp_path):
    with np.load(FIXTURE / "golden.npz") as file:
        arrays = {name: file[name] for name in file.files if name.startswith("rank_c1/")}
    arrays["rank_c1/out_default/logits"][0, 0, 0] += 0.01
    np.savez(tmp_path / "golden.npz", **arrays)
    with pytest.raises(SystemExit) as stopped:
        run("phoenix_verify", str(FIXTURE), str(tmp_path / "golden.npz"))
    assert stopped.value.code == 1


def test_golden_arrays_that_do_not_fit_exit_2(tmp_path):
    with np.load(FIXTURE / "golden.npz") as file:
        arrays = {name: file[name] for name in file.files if name.startswith("rank_c1/")}
    arrays["rank_c1/in/history_actions"] = arrays["rank_c1/in/history_actions"][..., :3]
    np.savez(tmp_path / "golden.npz", **arrays)
    with pytest.raises(CommandError, match=r"golden\.npz: case rank_c1 does not fit") as stopped:
        run("phoenix_verify", str(FIXTURE), str(tmp_path / "golden.npz"))
    assert stopped.value.returncode == 2


@pytest.mark.parametrize("command", ["phoenix_verify", "phoenix_run"])
def test_missing_artifacts_exit_2_with_one_line(command, tmp_path):
    golden = [str(tmp_path / "golden.npz")] if command == "phoenix_verify" else []
    with pytest.raises(CommandError, match=r"config\.json: no such file") as stopped:
        run(command, str(tmp_path), *golden)
    assert stopped.value.returncode == 2


def test_run_ranks_the_corpus():
    rows = json.loads(run("phoenix_run", str(FIXTURE), "--top-k", "130", "--json"))
    with np.load(FIXTURE / "golden.npz") as golden:
        assert [int(row["post_id"]) for row in rows] == golden["pipeline/final_post_ids"].tolist()


def test_benchmarks_print_their_shape():
    figures = json.loads(
        run(
            "bench_phoenix",
            "--candidates",
            "70",
            "--emb-size",
            "16",
            "--layers",
            "1",
            "--history",
            "4",
            "--repeats",
            "3",
            "--json",
        )
    )
    for path in ("reference", "exact", "fast"):
        assert figures[path]["p50_ms"] <= figures[path]["p95_ms"]
    figures = json.loads(run("bench_retrieval", "--posts", "2000", "--top-k", "10", "--repeats", "3", "--json"))
    assert figures["window"]["p50_ms"] > 0
