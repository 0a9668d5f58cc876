"""``feed``: one For You load in the terminal, and loads of before run again."""

import json as jsonlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from feed import services
from feed.receipts import build, recompute, sampling
from feed.receipts.replay import Moved, Replayed
from feed.types import FeedRequest
from posts.models import Post
from xsocial.kernel.arguments import seed, whole
from xsocial.kernel.errors import ApplicationError

LISTED = 20


class Command(BaseCommand):
    help = (
        "Load a For You page as somebody; --json prints its receipt, --explain the reasons for one post. "
        "--replay runs a stored load again and compares."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--viewer", help="handle of the viewer")
        what.add_argument("--replay", type=int, metavar="REQUEST_ID", help="run a stored load again and compare")
        what.add_argument(
            "--replay-random",
            type=whole(),
            metavar="N",
            help="make N random loads, replay each a day on",
        )
        parser.add_argument("--json", action="store_true", help="print the whole receipt, or the whole comparison")
        parser.add_argument(
            "--explain", type=int, metavar="POST", help="say why this post is, or lately was, on the page"
        )
        parser.add_argument("--cursor", default="", help="continue where an earlier page ended")
        parser.add_argument("--model", default="", help="replay under this ranker instead of the one that served")
        parser.add_argument("--weight-set", type=whole(0), help="replay under this weight set; 0 is the published one")
        parser.add_argument("--seed", type=seed, default=1, help="of the random loads")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["replay"] is None and (options["model"] or options["weight_set"] is not None):
            raise CommandError("--model and --weight-set belong to --replay", returncode=2)
        try:
            if options["replay"] is not None:
                self._replay(**options)
            elif options["replay_random"] is not None:
                self._replay_random(options["replay_random"], options["seed"], as_json=options["json"])
            else:
                self._load(**options)
        except ApplicationError as error:
            raise CommandError(error.message, returncode=2) from error

    def _load(self, *, viewer: str, json: bool, explain: int | None, cursor: str, **options: Any) -> None:
        person = User.objects.filter(username__iexact=viewer).first()
        if person is None:
            raise CommandError(f"there is nobody called {viewer!r}", returncode=2)
        if explain:
            self._explain(services.explain_latest(person, explain))
            return
        request = FeedRequest(cursor=cursor, platform="command")
        _, result = services.load_for_you(person, request=request, is_patient=True)
        receipt = build.receipt(result)
        if json:
            self.stdout.write(jsonlib.dumps(receipt, indent=2))
        else:
            self._page(receipt)
        if not recompute.recompute(receipt).agrees_with(receipt):
            self._does_not_hold("the receipt does not give the served scores and order")

    # --- Loads run again ------------------------------------------------------------------------

    def _replay(self, *, replay: int, model: str, weight_set: int | None, json: bool, **options: Any) -> None:
        found = services.replay(replay, model=model, weight_set=weight_set, reason="replayed at the command line")
        if json:
            self.stdout.write(jsonlib.dumps(found.plain(), indent=2))
        else:
            self._compare(found)
        if not (found.is_identical or model or weight_set is not None):
            self._does_not_hold(f"the replay of {replay} differs from what was served")

    def _compare(self, found: Replayed) -> None:
        under = f"model {found.model}" if found.model else "order of time"
        self.stdout.write(f"request {found.request_id} again, {under}, weights #{found.weight_set}")
        if found.is_identical:
            self.stdout.write(
                f"identical: {len(found.served)} items in order, {_left_out(found)} left out by the same rules"
            )
            return
        moved = list(found.moved())
        self.stdout.write(
            f"{len(moved)} of {len(found.served)} items differ, scores by at most {found.largest_score_difference:.6g}"
        )
        for change in moved[:LISTED]:
            self.stdout.write(f"  {change.kind} {change.id}: {_change(change)}")
        if len(moved) > LISTED:
            self.stdout.write(f"  and {len(moved) - LISTED} more; --json lists all")
        if found.changed:
            self.stdout.write(f"{len(found.changed)} ranked posts have another content vector now than then")

    def _replay_random(self, count: int, seed: int, *, as_json: bool) -> None:
        report = sampling.replay_random(count, seed=seed)
        if as_json:
            self.stdout.write(jsonlib.dumps(report.plain(), indent=2))
        else:
            self.stdout.write(
                f"{report.identical} of {report.replayed} loads identical in order a day later "
                f"({report.cached} of them from cached candidates, {report.viewers} viewers); "
                f"{report.remainder} candidates unaccounted for; "
                f"receipts of {report.median_bytes:,} bytes (median), {report.largest_bytes:,} at most"
            )
        if report.identical < report.replayed or report.remainder:
            self._does_not_hold(f"loads that differ: {', '.join(map(str, report.different[:LISTED]))}")

    def _does_not_hold(self, words: str) -> None:
        self.stderr.write(words)
        raise SystemExit(1)

    # --- One page -------------------------------------------------------------------------------

    def _page(self, receipt: dict[str, Any]) -> None:
        order = f"model {receipt['model']}" if receipt["model"] else "in order of time"
        self.stdout.write(
            f"request {receipt['request_id']}, {order}, weights #{receipt['weight_set']}"
            f"{' with own tuning' if receipt['tuning'] else ''}, build {receipt['build']}"
        )
        texts, names = _texts(receipt), _names(receipt)
        for item in receipt["items"]:
            about = item["receipt"]
            original = about.get("repost_of_id") or item["post_id"]
            line = f"{item['position'] + 1:>3}  {item['kind']:<13} {item['source']:<22}"
            if item["score"] is not None:
                author = names.get(item["author_id"], "deleted account")
                line += f" {item['score']:8.4f}  {author}: {texts.get(original, '')[:60]!r}"
            self.stdout.write(line)
        for row in receipt["dropped"]:
            self.stdout.write(f"left out by {row['filter']}: {row['count']}")
        if receipt["degraded"]:
            self.stdout.write(f"missing: {', '.join(receipt['degraded'])}")

    def _explain(self, explanation: Any) -> None:
        self.stdout.write(explanation.summary)
        for part in (*explanation.added, *explanation.taken):
            self.stdout.write(f"  {part.added:+9.5f}  {part.label} ({part.prediction:.4g} x {part.weight:g})")
        for step in explanation.path:
            self.stdout.write(f"  {step.label}: {step.value}")


def _left_out(found: Replayed) -> int:
    return sum(len(ids) for ids in found.served_ledger.values())


def _change(change: Moved) -> str:
    if change.served is None:
        return f"new at {change.replayed}"
    return f"from {change.served} to {change.replayed}" if change.replayed else f"was at {change.served}, is gone"


def _texts(receipt: dict[str, Any]) -> dict[str, str]:
    ids = [item["receipt"].get("repost_of_id") or item["post_id"] for item in receipt["items"] if item["post_id"]]
    return {str(pk): text for pk, text in Post.objects.filter(pk__in=map(int, ids)).values_list("pk", "text")}


def _names(receipt: dict[str, Any]) -> dict[str, str]:
    """Handles by id; a page that was in a hurry may not have loaded them all."""
    authors = {int(item["author_id"]) for item in receipt["items"] if item["author_id"]}
    return {str(pk): f"@{name}" for pk, name in User.objects.filter(pk__in=authors).values_list("pk", "username")}
