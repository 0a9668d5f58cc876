"""The cache in front of a hydrator."""

import numpy as np

from feed.candidate_pipeline import Batch, CachedHydrator, Hydrated

from .components import SCHEMA, Query, SourcePart, ids, pipeline


class DictCache(dict):
    """A cache that remembers how often it was asked."""

    gets = 0

    def get_many(self, keys):
        self.gets += 1
        return {key: self[key] for key in keys if key in self}

    def set_many(self, values):
        self.update(values)


class Doubles(CachedHydrator):
    """Writes id * 2; ids above 100 err; asks are recorded; may be broken."""

    writes = ("a", "text")

    def __init__(self, cache, broken=False):
        super().__init__(cache)
        self.asked, self.broken = [], broken

    def keys(self, query, batch):
        return batch["id"].tolist()

    def fetch(self, query, misses):
        self.asked.append(misses["id"].tolist())
        if self.broken:
            raise RuntimeError("client down")
        text = [None if i == 2 else f"post {i}" for i in misses["id"].tolist()]
        return Hydrated({"a": misses["id"] * 2.0, "text": text}, ok=misses["id"] <= 100)


def hydrated(part, *candidates):
    run = pipeline(sources=(SourcePart("S", ids(*candidates)),), hydrators=(part,)).execute(Query())
    return run.selected


def test_only_misses_are_fetched_and_the_order_is_restored():
    part = Doubles(DictCache({3: (60.0, "cached")}))
    batch = hydrated(part, 1, 3, 5)
    assert part.asked == [[1, 5]]
    assert batch["a"].tolist() == [2.0, 60.0, 10.0]
    assert batch["text"].tolist() == ["post 1", "cached", "post 5"]


def test_not_found_is_cached_errors_are_not_and_a_full_hit_calls_nobody():
    part = Doubles(DictCache())
    hydrated(part, 2, 101)
    assert 2 in part.cache
    assert 101 not in part.cache
    hydrated(part, 2)
    assert part.asked == [[2, 101]]


def test_one_multi_get_per_run():
    part = Doubles(DictCache())
    hydrated(part, 1, 2, 3)
    assert part.cache.gets == 1


def test_hits_survive_a_failing_client():
    batch = hydrated(Doubles(DictCache({3: (60.0, "cached")}), broken=True), 1, 3)
    assert np.isnan(batch["a"][0])
    assert batch["a"][1] == 60.0


def test_a_failing_client_without_hits_is_a_fault():
    part = Doubles(DictCache(), broken=True)
    made = pipeline(sources=(SourcePart("S", ids(1)),), hydrators=(part,))
    assert made.execute(Query()).failed("Doubles")


def test_an_empty_batch_asks_nobody():
    part = Doubles(DictCache())
    assert part.hydrate(Query(), Batch.empty(SCHEMA)).columns == {}
    assert part.asked == []
