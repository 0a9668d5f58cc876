"""The command line as a Unix tool."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from xsocial import tables
from xsocial.outages import in_words
from xsocial.settings import env

MANAGE = str(env.BASE_DIR / "manage.py")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_ends_a_command_quietly(unbuffered: str):
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, MANAGE, "help", "--commands"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, "")


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, MANAGE, *arguments], env=os.environ | variables, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"DATABASE_URL": "postgres://me:secret@127.0.0.1:1/none"}, "PostgreSQL does not answer: connection failed"),
        ({"XSOCIAL_DATA_DIR": "/proc/nowhere"}, "/proc/nowhere: "),
    ],
)
def test_what_is_away_is_said_in_one_line(variables: dict[str, str], words: str):
    done = manage("world_state", "--json", REDIS_URL="redis://127.0.0.1:1/0", **variables)
    assert done.returncode == 2
    assert done.stderr.startswith(f"manage.py: {words}")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_is_said_in_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, MANAGE, "help", "--commands"], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"manage.py: output: No space left on device\n")


def test_a_fault_of_ours_keeps_its_traceback():
    for error in (OSError(errno.EBADF, "inside"), OperationalError("deadlock"), ProgrammingError("no such column")):
        if isinstance(error, OperationalError):
            error.__cause__ = psycopg.errors.DeadlockDetected()
        assert in_words(error) == ""


def test_another_broken_pipe_is_still_an_error():
    broken = (
        f"import sys; sys.path.insert(0, {str(env.BASE_DIR)!r}); import manage\n"
        "def run(): raise BrokenPipeError('inside')\n"
        "manage.run = run; manage.main()"
    )
    run = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True)
    assert run.returncode == 1
    assert "BrokenPipeError: inside" in run.stderr


def forget_newest_migration() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("posts", recorder.migration_qs.filter(app="posts").latest("name").name)


@pytest.mark.django_db
def test_a_server_on_older_tables_ends_with_one_line(capsys):
    tables.require_current()
    forget_newest_migration()
    with pytest.raises(SystemExit) as ended:
        tables.require_current()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "The database is older than the code by 1 migration: run manage.py migrate\n"


@pytest.mark.django_db
def test_a_column_that_is_missing_is_a_fault_of_ours_unless_the_tables_are_old():
    def ask():
        with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM posts_post")
        return in_words(error.value)

    assert ask() == ""
    forget_newest_migration()
    assert ask() == "the database is older than the code: run manage.py migrate"
