"""The command line as a Unix tool."""

import os
import subprocess
import sys

import pytest

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


def test_another_broken_pipe_is_still_an_error():
    broken = (
        f"import sys; sys.path.insert(0, {str(env.BASE_DIR)!r}); import manage\n"
        "def run(): raise BrokenPipeError('inside')\n"
        "manage.run = run; manage.main()"
    )
    run = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True)
    assert run.returncode == 1
    assert "BrokenPipeError: inside" in run.stderr
