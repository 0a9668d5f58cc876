"""`manage.py bench`: every benchmark there is, one after the other, in one table."""

import io
import json
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

PREFIX = "bench_"


class Command(BaseCommand):
    """Calls each `bench_*` command with --json and prints its cases as rows."""

    help = "Run every bench_* command and print one table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these, with or without the prefix bench_")
        parser.add_argument("--json", action="store_true", help="print JSON, a key per benchmark")

    def handle(self, *args: Any, **options: Any) -> None:
        results = {name: self._measure(name) for name in chosen(options["names"])}
        if options["json"]:
            self.stdout.write(json.dumps(results, indent=2))
            return
        for line in table(results):
            self.stdout.write(line)

    def _measure(self, name: str) -> dict[str, Any]:
        self.stderr.write(f"{name} ...")
        printed = io.StringIO()
        call_command(name, json=True, stdout=printed)
        result: dict[str, Any] = json.loads(printed.getvalue())
        return result


def chosen(names: list[str]) -> list[str]:
    """The benchmarks asked for, or all. `CommandError` for one that does not exist."""
    known = sorted(name for name in get_commands() if name.startswith(PREFIX))
    wanted = [PREFIX + name.removeprefix(PREFIX) for name in names] or known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise CommandError(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", returncode=2)
    return wanted


def table(results: dict[str, dict[str, Any]]) -> list[str]:
    """Aligned rows: benchmark, case, then each figure that is a number of that case."""
    rows = [
        (name.removeprefix(PREFIX), case, figures(measured))
        for name, result in results.items()
        for case, measured in result.items()
        if isinstance(measured, dict) and figures(measured)
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [f"{name:<{widths[0]}}  {case:<{widths[1]}}  {text}" for name, case, text in rows]


def figures(measured: dict[str, Any]) -> str:
    """The numbers of one case, as `name value`."""
    numbers = {name: value for name, value in measured.items() if isinstance(value, (int, float))}
    return "  ".join(f"{name} {_shown(value)}" for name, value in numbers.items())


def _shown(value: float) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
