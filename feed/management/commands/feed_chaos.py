"""``feed_chaos``: pages under load while every component breaks in turn; exit 1 when one does not come."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from feed import chaos, services
from feed.home_mixer import clients
from feed.types import FeedRequest
from xsocial.kernel.arguments import whole


class Command(BaseCommand):
    help = "Break every component of the feed in turn (raise, hang, wrong answer, NaN) and count failed pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--viewers", type=whole(), default=20)
        parser.add_argument("--at-once", type=whole(), default=4, help="pages loading at the same time")
        parser.add_argument("--modes", default="raise,hang,wrong,nan")

    def handle(self, *args: Any, viewers: int, at_once: int, modes: str, **options: Any) -> None:
        people = list(User.objects.filter(following_count__gt=0).order_by("-following_count", "id")[:viewers])
        if not people:
            raise CommandError("nobody here follows anybody; run seed_world first", returncode=2)
        services.warm_up()
        runtime = clients.shared()
        wanted = [fault for fault in chaos.faults(runtime) if fault.mode in modes.split(",")]
        if not wanted:
            raise CommandError("--modes takes raise, hang, wrong and nan", returncode=2)
        for person in people[:3]:
            services.load_for_you(person, is_patient=True)

        def page(number: int) -> str:
            return clients.with_connection(lambda: _outcome(people[number % len(people)], wanted[number], runtime))

        with ThreadPoolExecutor(at_once) as pool:
            outcomes = list(pool.map(page, range(len(wanted))))
        counts = Counter(outcomes)
        for fault, outcome in zip(wanted, outcomes, strict=True):
            if outcome not in ("whole", "degraded", "following instead"):
                self.stdout.write(f"{outcome}: {fault.pipeline} {fault.stage} {fault.component} {fault.mode}")
        self.stdout.write(f"{len(wanted)} faults: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
        if any(outcome.startswith("failed") for outcome in outcomes):
            raise CommandError("some pages did not come", returncode=1)


def _outcome(person: User, fault: chaos.Fault, runtime: clients.Clients) -> str:
    """Whole, degraded, Following in its place, without posts, or failed with what was raised."""
    request = FeedRequest(platform="chaos", is_preview=fault.stage != "side_effects" and fault.component != "AdsSource")
    try:
        page, _ = services.load_for_you(person, request=request, pipeline=chaos.broken(fault, runtime))
    except Exception as error:  # whatever comes out of a page load is the finding
        return f"failed with {error!r}"
    if not any(item.kind == "post" for item in page.items):
        return "no posts"
    if "posts" in page.degraded:
        return "following instead"
    return "degraded" if page.degraded else "whole"
