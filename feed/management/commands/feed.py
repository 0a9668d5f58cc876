"""``feed``: one For You load in the terminal."""

import json as jsonlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from feed import services
from feed.receipts import build, recompute
from feed.types import FeedRequest
from posts.models import Post
from xsocial.kernel.errors import ApplicationError


class Command(BaseCommand):
    help = "Load a For You page as somebody; --json prints its receipt, --explain the reasons for one post."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--viewer", required=True, help="handle of the viewer")
        parser.add_argument("--json", action="store_true", help="print the whole receipt")
        parser.add_argument(
            "--explain", type=int, metavar="POST", help="say why this post is, or lately was, on the page"
        )
        parser.add_argument("--cursor", default="", help="continue where an earlier page ended")

    def handle(self, *args: Any, viewer: str, json: bool, explain: int | None, cursor: str, **options: Any) -> None:
        person = User.objects.filter(username__iexact=viewer).first()
        if person is None:
            raise CommandError(f"there is nobody called {viewer!r}", returncode=2)
        try:
            if explain:
                self._explain(services.explain_latest(person, explain))
                return
            request = FeedRequest(cursor=cursor, platform="command")
            _, result = services.load_for_you(person, request=request, is_patient=True)
        except ApplicationError as error:
            raise CommandError(error.message, returncode=2) from error
        receipt = build.receipt(result)
        if json:
            self.stdout.write(jsonlib.dumps(receipt, indent=2))
        else:
            self._page(receipt)
        if not recompute.recompute(receipt).agrees_with(receipt):
            self.stderr.write("the receipt does not give the served scores and order")
            raise SystemExit(1)

    def _page(self, receipt: dict[str, Any]) -> None:
        order = f"model {receipt['model']}" if receipt["model"] else "in order of time"
        self.stdout.write(
            f"request {receipt['request_id']}, {order}, weights #{receipt['weight_set']}, build {receipt['build']}"
        )
        texts = _texts(receipt)
        for item in receipt["items"]:
            about = item["receipt"]
            original = about.get("repost_of_id") or item["post_id"]
            line = f"{item['position'] + 1:>3}  {item['kind']:<13} {item['source']:<22}"
            if item["score"] is not None:
                line += f" {item['score']:8.4f}  @{about['author_name']}: {texts.get(original, '')[:60]!r}"
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


def _texts(receipt: dict[str, Any]) -> dict[str, str]:
    ids = [item["receipt"].get("repost_of_id") or item["post_id"] for item in receipt["items"] if item["post_id"]]
    return {str(pk): text for pk, text in Post.objects.filter(pk__in=map(int, ids)).values_list("pk", "text")}
