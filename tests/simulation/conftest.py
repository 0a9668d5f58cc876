"""One small world, generated once; loading it is up to the test."""

from datetime import UTC, datetime

import pytest

from feed.simulation.world import World, WorldSize, build_world
from xsocial.kernel import clock

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
SIZE = WorldSize(users=60, posts=400, days=5)


@pytest.fixture(scope="session")
def small_world() -> World:
    return build_world(SIZE, seed=3, now_ms=clock.to_ms(NOW))
