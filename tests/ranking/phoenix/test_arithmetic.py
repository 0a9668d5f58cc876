"""What is compiled once is kept, until something that is inside it changes."""

import shutil
from pathlib import Path

import numba
import numpy as np

from ranking.phoenix import arithmetic


def doubling():
    """A function that was not compiled yet."""

    def double(values):
        values *= 2

    return double


def test_a_kernel_is_compiled_again_when_what_is_inside_it_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    found = []
    for sources in ("one", "one", "other"):
        monkeypatch.setattr(arithmetic, "inlined", lambda sources=sources: sources)
        kernel, values = arithmetic.compiled(doubling()), np.ones(2)
        kernel(values)
        assert values.tolist() == [2, 2]
        found.append(sum(kernel.stats.cache_hits.values()))
    assert found == [0, 1, 0]


def test_every_file_that_kernels_have_inside_counts(tmp_path):
    names = {arithmetic.inlined()}
    for changed in arithmetic.INLINED:
        folder = tmp_path / changed
        shutil.copytree(Path(arithmetic.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / f"{changed}.py").open("a") as file:
            file.write("# changed\n")
        names.add(arithmetic.inlined(folder))
    assert len(names) == 1 + len(arithmetic.INLINED)
