"""What a log line of an error holds, and what it must not."""

import logging
import sys

import pytest
import structlog

from xsocial.kernel.logging import _formatter


def failing_record(secret: str) -> logging.LogRecord:
    """A record of an error raised where a local variable holds a secret."""
    try:
        raise ValueError("went wrong")
    except ValueError:
        logger = logging.getLogger("test")
        return logger.makeRecord("test", logging.ERROR, __file__, 1, "component failed", (), sys.exc_info())


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_names_the_error_and_no_local_variables(settings, as_json):
    settings.LOG_JSON = as_json
    formatter = structlog.stdlib.ProcessorFormatter(**_formatter())

    line = formatter.format(failing_record("hunter2"))

    assert "went wrong" in line
    assert "failing_record" in line
    assert "hunter2" not in line


@pytest.mark.parametrize(("path", "is_told"), [("/readyz", False), ("/", True)])
def test_probes_of_readiness_are_not_told(path, is_told, rf):
    record = logging.getLogger("django.request").makeRecord(
        "django.request", logging.ERROR, __file__, 1, "Service Unavailable", (), None, extra={"request": rf.get(path)}
    )
    (handler,) = [found for found in logging.getLogger().handlers if found.filters]

    assert bool(handler.filter(record)) is is_told
