"""Where PostgreSQL and Valkey are: the embedded ones, unless DATABASE_URL or REDIS_URL say else.

Importing this has no side effect: nothing is started or written here. The supervisor reads the
same values, so that every process agrees without a discovery file.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from xsocial.settings import env

DATA_DIR = env.path("XSOCIAL_DATA_DIR", env.BASE_DIR / ".data")
PG_PORT = env.port("XSOCIAL_PG_PORT", 54329)
KV_PORT = env.port("XSOCIAL_KV_PORT", 63790)
PG_USER = PG_NAME = "xsocial"

DATABASE_URL = env.url("DATABASE_URL", schemes={"postgres", "postgresql"})
REDIS_URL = env.url("REDIS_URL", schemes={"redis", "rediss"})
EMBEDDED_PG = not DATABASE_URL
EMBEDDED_KV = not REDIS_URL
# A statement of `kernel/sql.py` is worth preparing from its third time on a connection.
PREPARED = {"prepare_threshold": 2 if env.boolean("XSOCIAL_DB_PREPARE", True) else None}


def pg_password_file(data_dir: Path) -> Path:
    """Where the launcher of the embedded cluster keeps the password of its only role."""
    return data_dir / "pg_password"


def embedded_database(data_dir: Path, port: int) -> dict[str, Any]:
    """Django's connection settings for the embedded PostgreSQL."""
    password_file = pg_password_file(data_dir)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": PG_NAME,
        "USER": PG_USER,
        "PASSWORD": password_file.read_text().strip() if password_file.is_file() else "",
        "HOST": "127.0.0.1",
        "PORT": port,
        "OPTIONS": PREPARED,
    }


def external_database(url: str) -> dict[str, Any]:
    """Django's connection settings from `postgres://user:password@host:port/name?sslmode=...`."""
    parts = urlsplit(url)
    try:
        port = parts.port or ""
    except ValueError:
        raise env.SettingError("DATABASE_URL has a port that is not a number") from None
    if len(parts.path) < 2:
        raise env.SettingError("DATABASE_URL must end with the name of a database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port,
        "OPTIONS": PREPARED | dict(parse_qsl(parts.query)),
    }


def database(*, pooled: bool, pool_size: int) -> dict[str, Any]:
    """Connection settings for this process.

    Under ASGI each request may run in another thread, so connections kept per thread
    (CONN_MAX_AGE) pile up on the server: there a pool is used, and persistent ones elsewhere.
    """
    config = external_database(DATABASE_URL) if DATABASE_URL else embedded_database(DATA_DIR, PG_PORT)
    # A cursor outlives its transaction, and a pooler by transaction would look for it on another connection.
    config["DISABLE_SERVER_SIDE_CURSORS"] = PREPARED["prepare_threshold"] is None
    if pooled:
        pool = {"min_size": 2, "max_size": pool_size, "timeout": 10}
        config["OPTIONS"] = {**config["OPTIONS"], "pool": pool}
        # The check keeps a request after a restart of PostgreSQL from meeting a dead connection.
        return {**config, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    return {**config, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def redis_base() -> str:
    """The Valkey address without a database number; numbers are given out in `base`."""
    if EMBEDDED_KV:
        return f"redis://127.0.0.1:{KV_PORT}"
    parts = urlsplit(REDIS_URL)
    return f"{parts.scheme}://{parts.netloc}"
