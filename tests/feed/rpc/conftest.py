"""Real gRPC servers on a free port of this machine, and channels to them."""

from contextlib import ExitStack

import grpc
import pytest

from feed.rpc.server import RpcServer


@pytest.fixture
def serve():
    """Start a server for the given services; gives a channel to it."""
    with ExitStack() as stack:

        def start(*services, is_ready=True, **options):
            server = RpcServer(services, address="127.0.0.1:0", **options)
            server.set_ready(is_ready)
            server.server.start()
            stack.callback(lambda: server.server.stop(0).wait())
            return stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.port}"))

        yield start
