"""`manage.py thunder`: Thunder as a process of its own, filled from the database and the event log."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from feed.rpc import thunder
from feed.rpc.server import Access, RpcServer, export_metrics
from feed.rpc.thunder_socket import SocketServer
from feed.thunder.listener import OK
from feed.thunder.service import MAX_WAITING, Embedded
from xsocial.kernel.arguments import port, whole
from xsocial.kernel.errors import Invalid


class Command(BaseCommand):
    help = "Serve recent posts of followed accounts from memory, over gRPC and on a Unix socket."
    requires_system_checks = []  # they load every view of the site, which this process never serves

    def add_arguments(self, parser):
        parser.add_argument("--address", default="127.0.0.1:50052", help="host:port to listen on")
        parser.add_argument("--socket", type=Path, help="also answer on a Unix socket of this path")
        parser.add_argument("--workers", type=whole(), default=4, help="calls answered at the same time")
        parser.add_argument("--max-calls", type=whole(), default=MAX_WAITING, help="calls accepted; more are refused")
        parser.add_argument("--metrics-port", type=port, default=0, help="port of /metrics on this machine; 0 for none")

    def handle(self, *, address, socket, workers, max_calls, metrics_port, **options):
        backend = Embedded()
        try:
            export_metrics(metrics_port)
            server = RpcServer(
                [thunder.service(backend)],
                address=address,
                access=Access.from_settings(),
                workers=workers,
                max_calls=max_calls,
            )
            local = SocketServer(socket, backend) if socket else None
        except (Invalid, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        backend.listener.start()
        if local:
            local.start()
        self.stdout.write(f"thunder listens on {address}" + (f" and {socket}" if socket else ""))
        server.run_until_stopped(lambda: backend.state == OK)
        if local:
            local.close()
        backend.listener.stop()
