"""The map of upstream behaviours stays complete, and every path in it exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/upstream-map.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in TEXT.splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and re.fullmatch(r"[A-Z]{2}-\d+", cells[0])
}


@pytest.mark.parametrize(("prefix", "count"), [("HM", 127), ("TH", 8), ("CP", 14), ("AD", 6), ("GX", 42)])
def test_every_row_is_there(prefix, count):
    assert [key for key in ROWS if key.startswith(prefix)] == [f"{prefix}-{n}" for n in range(1, count + 1)]


def test_paths_exist_and_states_are_honest():
    for key, (_, file, test, state) in ROWS.items():
        assert re.match(r"(live|planned|declined: .+)", state), key
        assert (file == "-") == (not state.startswith("live")), key
        for path in re.findall(r"`([^`]+)`", f"{file} {test}"):
            assert (ROOT / path).exists(), f"{key}: {path}"
