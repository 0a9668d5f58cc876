"""manage.py phoenix_compile: compile what the ranker runs on, before there is a model to run."""

from __future__ import annotations

from typing import Any, ClassVar

from ranking.management.base import PhoenixCommand
from ranking.models import ModelVersion
from ranking.phoenix import precision
from ranking.phoenix.batch import TrainableTables
from ranking.phoenix.recsys_model import PhoenixRanker
from ranking.training.presets import xsocial_config


class Command(PhoenixCommand):
    help = "Compiles the ranker's kernels and keeps them, so that the first promotion need not wait; asks no database."
    requires_system_checks: ClassVar[list[str]] = []

    def handle(self, *, verbosity: int, **options: Any) -> None:
        config = xsocial_config(ModelVersion.Kind.RANKER)
        choice = precision.choose(PhoenixRanker(config).eval(), TrainableTables(config).eval())
        if verbosity:
            self.stdout.write(
                f"A page of candidates takes {choice.exact_ms:.1f} ms exactly, {choice.fast_ms:.1f} in bfloat16."
            )
