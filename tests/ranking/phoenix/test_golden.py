"""Our models against the recorded outputs of the published code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ranking.phoenix import artifacts, verification
from ranking.phoenix.npz import ArtifactError

FIXTURE = Path(__file__).parents[2] / "fixtures" / "phoenix"
GOLDEN = FIXTURE / "golden.npz"


@pytest.fixture(scope="module")
def retrieval() -> artifacts.Artifact:
    return artifacts.load(FIXTURE / "retrieval", "retrieval")


@pytest.fixture(scope="module")
def ranker() -> artifacts.Artifact:
    return artifacts.load(FIXTURE / "ranker", "ranker")


@pytest.fixture(scope="module")
def findings(retrieval, ranker) -> list[verification.Finding]:
    return list(verification.verify(retrieval=retrieval, ranker=ranker, folder=FIXTURE, golden=GOLDEN))


def test_every_golden_array_is_equal_within_its_tolerance(findings):
    assert [finding for finding in findings if not finding.holds] == []


def test_every_case_of_the_file_is_compared(findings):
    with np.load(GOLDEN) as file:
        cases = {name.split("/")[0] for name in file.files}
    assert {finding.case for finding in findings} == cases - {"pipeline_bfloat16"}


def test_both_routes_and_both_position_modes_are_compared(findings):
    arrays = {finding.array for finding in findings if finding.case == "rank_partial_c64"}
    for part in ("out_default", "out_right_anchored"):
        assert f"{part}/logits (reference)" in arrays
        assert f"{part}/logits (exact)" in arrays


def test_a_changed_weight_is_noticed(retrieval, ranker):
    state = {name: value.clone() for name, value in ranker.model.state_dict().items()}
    state["transformer.layers.1.attention_out"] *= 1.01
    with torch.device("meta"):
        model = type(ranker.model)(ranker.config)
    model.load_state_dict(state, assign=True)
    changed = replace(ranker, model=model.eval())
    found = verification.verify(retrieval=retrieval, ranker=changed, folder=FIXTURE, golden=GOLDEN)
    assert any(not finding.holds for finding in found)


def test_an_unknown_kind_of_case_is_refused(retrieval, ranker, tmp_path):
    np.savez(tmp_path / "golden.npz", **{"strange/in/thing": np.zeros(3)})
    with pytest.raises(ArtifactError, match="strange"):
        list(verification.verify(retrieval=retrieval, ranker=ranker, folder=FIXTURE, golden=tmp_path / "golden.npz"))
