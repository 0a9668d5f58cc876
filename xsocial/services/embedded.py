"""The embedded services as one set: which there are, and running them in the foreground."""

from pathlib import Path

from xsocial.services.postgres import Postgres
from xsocial.services.supervisor import Lock, Supervisor, require_free_port
from xsocial.services.valkey import Valkey
from xsocial.settings import stores

OWNER = "manage.py services"
PORT_SETTINGS = {"postgres": "XSOCIAL_PG_PORT", "valkey": "XSOCIAL_KV_PORT"}

Service = Postgres | Valkey


def lock_path() -> Path:
    """Held by whoever runs the embedded services of this data folder."""
    return stores.DATA_DIR / "services.lock"


def embedded() -> list[Service]:
    """The services that no URL in the environment replaces, in starting order."""
    services: list[Service] = []
    if stores.EMBEDDED_PG:
        services.append(Postgres(stores.DATA_DIR, stores.PG_PORT))
    if stores.EMBEDDED_KV:
        services.append(Valkey(stores.DATA_DIR, stores.KV_PORT))
    return services


def start_all(supervisor: Supervisor, services: list[Service]) -> None:
    """Start the services side by side, wait for all, then prepare what is inside."""
    for service in services:
        require_free_port(service.port, setting=PORT_SETTINGS[service.name])
    children = [supervisor.start(service.program(), wait=False) for service in services]
    for child in children:
        child.wait_ready()
    for service in services:
        service.prepare()


def run_until_stopped() -> None:
    """Own the services until a signal. Raises `AlreadyRunning` when somebody else does."""
    lock = Lock(lock_path())
    lock.acquire(OWNER)
    supervisor = Supervisor(stores.DATA_DIR)
    supervisor.handle_signals()
    supervisor.clean_up()
    try:
        start_all(supervisor, embedded())
        supervisor.watch()
    except KeyboardInterrupt:
        pass
    finally:
        supervisor.stop()
        lock.release()
