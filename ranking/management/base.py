"""What the Phoenix commands share: exit codes, and one clear line when the input is bad."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from django.core.management.base import BaseCommand, CommandError

from ranking.phoenix.config import ConfigError
from ranking.phoenix.npz import ArtifactError
from xsocial.kernel.errors import ApplicationError

BAD_INPUT = 2


class PhoenixCommand(BaseCommand):
    """Bad artifacts, models and logs end with exit code 2 and their message on stderr."""

    def execute(self, *args: Any, **options: Any) -> Any:
        with clear_errors():
            return super().execute(*args, **options)

    def print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=1))

    def fail_check(self, message: str) -> None:
        """The thing checked does not hold: exit code 1."""
        self.stderr.write(message)
        sys.exit(1)


@contextmanager
def clear_errors() -> Iterator[None]:
    try:
        yield
    except (ArtifactError, ConfigError) as error:
        raise CommandError(str(error), returncode=BAD_INPUT) from None
    except ApplicationError as error:
        raise CommandError(error.message, returncode=BAD_INPUT) from None


def use_threads(count: int | None) -> None:
    """Threads for the matrix products; all cores unless told otherwise."""
    torch.set_num_threads(count or os.cpu_count() or 1)


def table(rows: list[tuple[str, ...]]) -> str:
    """Plain columns, the first left-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    align: list[Callable[[str, int], str]] = [str.ljust] + [str.rjust] * (len(widths) - 1)
    return "\n".join(
        "  ".join(fit(cell, width) for fit, cell, width in zip(align, row, widths, strict=True)) for row in rows
    )
