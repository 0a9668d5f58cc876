"""The map of upstream behaviours stays complete, its paths exist, and its rows are part of the product."""

import importlib
import inspect
import re
from pathlib import Path

import grimp
import pytest

from feed import services
from feed.candidate_pipeline import (
    Filter,
    Hydrator,
    QueryHydrator,
    Scorer,
    Selector,
    SideEffect,
    Source,
)

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/upstream-map.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in TEXT.splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and re.fullmatch(r"[A-Z]{2}-\d+", cells[0])
}
KINDS = (QueryHydrator, Source, Hydrator, Filter, Scorer, Selector, SideEffect)
FEED_ROWS = [key for key, row in ROWS.items() if key.startswith(("HM-", "CP-")) and row[3].startswith("live")]
# What runs in the product: pages and API, gRPC, scheduled work.
ENTRANCES = ("feed.services", "feed.rpc.server", "feed.rpc.home_mixer", "feed.tasks")


def paths(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("prefix", "count"), [("HM", 127), ("TH", 8), ("CP", 14), ("AD", 6), ("GX", 42)])
def test_every_row_is_there(prefix, count):
    assert [key for key in ROWS if key.startswith(prefix)] == [f"{prefix}-{n}" for n in range(1, count + 1)]


def test_paths_exist_and_states_are_honest():
    for key, (_, file, test, state) in ROWS.items():
        assert re.match(r"(live|planned|declined: .+)", state), key
        assert (file == "-") == (not state.startswith("live")), key
        assert bool(paths(test)) == bool(paths(file)), key
        for path in paths(f"{file} {test}"):
            assert (ROOT / path).exists(), f"{key}: {path}"


def test_all_of_the_published_release_is_live():
    """May 2026 whole, and what came later with two exceptions that only decorate a page."""
    waiting = {key for key, row in ROWS.items() if key.startswith("HM-") and not row[3].startswith("live")}
    assert waiting <= {"HM-122", "HM-123"}


@pytest.fixture(scope="module")
def recipes():
    """Names of all components in both recipes."""
    return {name for stages in services.components().values() for names in stages.values() for name in names}


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("feed")


def components_of(path):
    """Component classes that a file defines for use, by name."""
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    classes = inspect.getmembers(module, inspect.isclass)
    own = [(name, kind) for name, kind in classes if kind.__module__ == module.__name__ and issubclass(kind, KINDS)]
    return [name for name, _ in own]


@pytest.mark.parametrize("key", FEED_ROWS)
def test_a_row_is_part_of_the_product_and_its_test_names_it(key, recipes, imports):
    """A component stands in a recipe and in its test; other code is reached from what runs."""
    _, file, test, _ = ROWS[key]
    told = "".join((ROOT / path).read_text() for path in paths(test))
    assert "def test_" in told
    for path in paths(file):
        if not path.startswith("feed/"):
            continue
        found = [] if path.startswith("feed/candidate_pipeline/") else components_of(path)
        assert set(found) <= recipes, f"{key}: {found} is in no recipe"
        assert not found or any(name in told for name in found), f"{key}: {test} does not name {found}"
        module = path.removesuffix(".py").replace("/", ".")
        reached = any(entry == module or imports.chain_exists(entry, module) for entry in ENTRANCES)
        assert reached or found, f"{key}: nothing that runs imports {module}"
