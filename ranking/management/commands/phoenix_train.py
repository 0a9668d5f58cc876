"""manage.py phoenix_train: train ranker and retrieval on the logs, judge, register, promote."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ranking import registry
from ranking.management.base import PhoenixCommand, use_threads
from ranking.models import ModelVersion
from ranking.training.presets import TrainingSettings
from ranking.training.run import KINDS, plan, run, unfinished
from xsocial.kernel.arguments import number, seed, whole


class Command(PhoenixCommand):
    help = "Trains both Phoenix models on what people saw and did, and promotes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bootstrap", action="store_true", help="only when no model is promoted yet")
        parser.add_argument("--only", choices=KINDS, help="train one of the two; both can be trained at the same time")
        parser.add_argument("--resume", action="store_true", help="go on with the run that was broken off")
        parser.add_argument("--seed", type=seed, default=0)
        parser.add_argument("--minutes", type=number(), default=1.2, help="time for both together; 0: no limit")
        parser.add_argument("--epochs", type=whole(), default=2, help="most passes over the data")
        parser.add_argument(
            "--threads", type=whole(), default=1, help="of one process (1); for more cores --only, or torchrun"
        )
        parser.add_argument("--no-promote", action="store_true", help="register as candidates only")

    def handle(self, *, bootstrap: bool, only: str | None, resume: bool, **options: Any) -> None:
        kinds = (only,) if only else KINDS
        if bootstrap and all(registry.promoted(kind) for kind in kinds):
            self.stdout.write("Models are promoted already.")
            return
        use_threads(options["threads"])
        if resume:
            wanted = unfinished(kinds)
        else:
            names = ("seed", "minutes", "epochs")
            wanted = plan(TrainingSettings(**{name: options[name] for name in names}), kinds=kinds)
        trained = run(wanted, resume=resume, quiet=options["verbosity"] == 0)
        for version in trained.versions.values() if trained else ():
            if not options["no_promote"]:
                registry.promote(version)
            self.stdout.write(f"{version.name}: {version.status}, {_summary(version)}")


def _summary(version: ModelVersion) -> str:
    if version.kind == ModelVersion.Kind.RETRIEVAL:
        return ", ".join(f"{name} {value:.3f}" for name, value in version.metrics.items() if name.startswith("recall"))
    pages = version.metrics["pages"]
    return ", ".join(f"NDCG@10 of {name} {figures['ndcg@10'] or 0:.4f}" for name, figures in pages.items())
