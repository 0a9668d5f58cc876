"""`manage.py home_mixer_server`: the ranked feed for other services, over gRPC."""

from django.core.management.base import BaseCommand, CommandError

from feed import rehearsal, services
from feed.rpc import home_mixer
from feed.rpc.server import Access, RpcServer, export_metrics
from xsocial.kernel.arguments import port, whole
from xsocial.kernel.errors import Invalid


class Command(BaseCommand):
    help = "Serve GetScoredPosts and GetForYouFeed over gRPC, with reflection and health."

    def add_arguments(self, parser):
        parser.add_argument("--address", default="127.0.0.1:50051", help="host:port to listen on")
        parser.add_argument("--workers", type=whole(), default=8, help="pages made at the same time")
        parser.add_argument("--max-calls", type=whole(), default=64, help="calls accepted; more are refused")
        parser.add_argument("--metrics-port", type=port, default=0, help="port of /metrics on this machine; 0 for none")

    def handle(self, *, address, workers, max_calls, metrics_port, **options):
        try:
            export_metrics(metrics_port)
            server = RpcServer(
                [home_mixer.scored_posts_service(), home_mixer.for_you_feed_service()],
                address=address,
                access=Access.from_settings(),
                workers=workers,
                max_calls=max_calls,
            )
        except (Invalid, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        services.warm_up()
        rehearsal.begin()  # nobody's first page pays for models and compiled steps
        self.stdout.write(f"home mixer listens on {address}")
        server.run_until_stopped(lambda: rehearsal.state() == rehearsal.OK)
