"""`manage.py check_blending FILE`: both blenders against a file of golden cases.

Exit code 0 when every case agrees, 1 on a difference, 2 when the file cannot be used.
"""

import json

from django.core.management.base import BaseCommand, CommandError

from ads.blend_cases import check_case, differing_constants, load_cases
from ads.blending.spacing import RESULT_SIZE
from xsocial.kernel.errors import Invalid


class Command(BaseCommand):
    help = "Run the ad blenders over a file of golden cases and report every difference."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("file", help="a case file in the format xsocial-ads-blend/1")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *, file, json: bool, **options):
        try:
            num_cases, differences = _run(file)
        except Invalid as error:
            raise CommandError(str(error.message), returncode=2) from error
        self.stdout.write(_as_json(num_cases, differences) if json else _as_text(num_cases, differences))
        if differences:
            raise SystemExit(1)


def _run(file: str) -> tuple[int, dict[str, list[str]]]:
    document = load_cases(file)
    result_size = document.get("constants", {}).get("result_size", RESULT_SIZE)
    outcome = {"constants": differing_constants(document)}
    for number, case in enumerate(document["cases"], start=1):
        lines = check_case(case, result_size=result_size)
        outcome[str(case.get("id", number))] = lines
    return len(document["cases"]), {name: lines for name, lines in outcome.items() if lines}


def _as_text(num_cases: int, differences: dict[str, list[str]]) -> str:
    lines = [f"{name}: {line}" for name, found in differences.items() for line in found]
    num_equal = num_cases - len(differences.keys() - {"constants"})
    return "\n".join([*lines, f"{num_equal} of {num_cases} cases agree"])


def _as_json(num_cases: int, differences: dict[str, list[str]]) -> str:
    return json.dumps({"num_cases": num_cases, "num_differing": len(differences), "differences": differences})
