"""manage.py phoenix_verify ARTIFACTS GOLDEN: are the models equal to the golden outputs?"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ranking.management.base import PhoenixCommand
from ranking.phoenix import artifacts, verification


class Command(PhoenixCommand):
    help = "Runs every case of a golden file; exit 1 when an error exceeds its tolerance."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("artifacts", type=Path, help="folder with retrieval/, ranker/ and the corpus")
        parser.add_argument("golden", type=Path, help="npz of case/part/name arrays")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, artifacts: Path, golden: Path, json: bool, **options: Any) -> None:
        findings = list(_findings(artifacts, golden))
        failed = [finding for finding in findings if not finding.holds]
        if json:
            self.print_json([{**vars(f), "holds": f.holds} for f in findings])
        else:
            self._print(findings)
        if failed:
            self.fail_check(f"{len(failed)} of {len(findings)} arrays exceed their tolerance")

    def _print(self, findings: list[verification.Finding]) -> None:
        for finding in findings:
            mark = "ok  " if finding.holds else "FAIL"
            self.stdout.write(f"{mark} {finding.error:9.2e} (<= {finding.tolerance:g})  {finding.case}/{finding.array}")
        cases = {finding.case for finding in findings}
        good = sum(finding.holds for finding in findings)
        self.stdout.write(f"{good} of {len(findings)} arrays within tolerance, {len(cases)} cases")


def _findings(folder: Path, golden: Path) -> Any:
    return verification.verify(
        retrieval=artifacts.load(folder / "retrieval", "retrieval"),
        ranker=artifacts.load(folder / "ranker", "ranker"),
        folder=folder,
        golden=golden,
    )
