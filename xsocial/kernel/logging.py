"""Structured logs: every line is one event with fields, and carries the request id if there is one.

JSON in production, aligned text on a terminal. Standard `logging` records take the same path.
"""

import logging.config
from typing import Any

import structlog
from django.conf import settings

# Applied to our own events and to those of libraries alike.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
# Chatty at INFO without telling anything new.
_QUIET = dict.fromkeys(
    (
        "axes",
        "celery.app.trace",
        "celery.beat",
        "celery.worker.strategy",
        "httpx",
        "openai",
        "PIL",
        "sentence_transformers",
    ),
    "WARNING",
)


def configure() -> None:
    """Route structlog and `logging` to one handler on standard error."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"structured": {"()": structlog.stdlib.ProcessorFormatter, **_formatter()}},
            "filters": {"no_probes": {"()": _WithoutProbes}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["no_probes"]}
            },
            "root": {"handlers": ["stderr"], "level": settings.LOG_LEVEL},
            "loggers": {name: {"level": level} for name, level in _QUIET.items()},
        }
    )


class _WithoutProbes(logging.Filter):
    """Whoever asks `/readyz` reads the answer; the log need not repeat a hundred times that it is not time yet."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"


def _formatter() -> dict[str, Any]:
    # Tracebacks without local variables: those hold whole candidate batches, which take seconds to
    # print while everybody waits, and now and then a secret.
    if settings.LOG_JSON:
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        exceptions = [structlog.processors.ExceptionRenderer(transformer)]
        renderer: Any = structlog.processors.JSONRenderer()
    else:
        exceptions = []
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)
    return {
        "foreign_pre_chain": _SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
    }
