"""What every test may ask for: real stores, a fixed clock, a browser.

The suite runs on an embedded PostgreSQL and Valkey of its own, thrown away afterwards. Naming
XSOCIAL_PG_PORT (and XSOCIAL_KV_PORT, XSOCIAL_DATA_DIR) uses services that run already.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from tests import database, live
from xsocial.kernel import clock, redis
from xsocial.services.embedded import Service, start_all
from xsocial.services.postgres import Postgres
from xsocial.services.supervisor import Supervisor
from xsocial.services.valkey import Valkey
from xsocial.settings import stores

# Two workers of the suite, and the commands they start, share the cores already.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# How fast inputs are made says more about what else the machine does than about the test.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

_supervisor = pytest.StashKey[Supervisor]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the stores once, in the process that owns the run; its workers inherit the ports."""
    if hasattr(config, "workerinput"):
        return
    data_dir = Path(settings.DATA_DIR)
    services: list[Service] = []
    if stores.EMBEDDED_PG:
        services.append(Postgres(data_dir, settings.PG_PORT, throw_away=True))
    if stores.EMBEDDED_KV:
        services.append(Valkey(data_dir, settings.KV_PORT, throw_away=True))
    missing = [service for service in services if not service.answers()]
    if missing:
        supervisor = config.stash[_supervisor] = Supervisor(data_dir, is_quiet=True)
        start_all(supervisor, missing)
    ports = {"XSOCIAL_PG_PORT": settings.PG_PORT, "XSOCIAL_KV_PORT": settings.KV_PORT, "XSOCIAL_DATA_DIR": data_dir}
    os.environ.update({name: str(value) for name, value in ports.items()})
    if stores.EMBEDDED_PG:  # known only now, if the cluster was just made
        settings.DATABASES["default"].update(stores.embedded_database(data_dir, settings.PG_PORT))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what `pytest_configure` started and remove its data."""
    supervisor = config.stash.get(_supervisor, None)
    if supervisor:
        supervisor.stop()
        if supervisor.data_dir.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(supervisor.data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> Iterator[None]:
    """A fresh database for this process, copied from a migrated template."""
    name = "_".join(filter(None, ["test_xsocial", os.environ.get("PYTEST_XDIST_WORKER")]))
    with django_db_blocker.unblock():
        database.create(name)
    yield
    with django_db_blocker.unblock():
        database.drop(name)


@pytest.fixture(autouse=True)
def empty_valkey() -> None:
    """Each test begins with empty Valkey databases; only those of this worker are touched."""
    for use in settings.REDIS_NUMBERS:
        redis.client(use).flushdb()


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path: Path) -> None:
    """Uploads of a test go to its own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def noon() -> Iterator[datetime]:
    """The clock stands at noon of a Monday in March 2026, UTC."""
    with clock.fixed(NOON):
        yield NOON


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the browser carries its marker, so `-m "not browser"` leaves it out, and comes last.

    The browser's event loop runs on in the process that drove it, and code under test that starts a loop
    of its own would fail there.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with live.browser() as instance:
        yield instance


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty window of its own per test, which reaches this machine only."""
    # A worker's requests would pass by the rule on the next line.
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    context.route("**/*", live.stay_at_home)
    yield context.new_page()
    context.close()


@pytest.fixture
def live_site(transactional_db, monkeypatch) -> Iterator[str]:
    """The address of the whole site, websockets included, on the test's database."""
    monkeypatch.setattr("feed.live.BLOCK_MS", 20)  # so that it ends soon
    with live.site() as address:
        yield address
