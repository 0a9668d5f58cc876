"""Thunder over gRPC: the same answers as in process, refusals and deadlines as status codes."""

import struct
import threading
import time
from datetime import UTC, datetime, timedelta

import grpc
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from feed.rpc import thunder
from feed.rpc.generated import thunder_pb2, thunder_pb2_grpc
from feed.rpc.server import Access, RpcServer
from feed.thunder.post_store import PostColumns, Request
from feed.thunder.service import Embedded
from xsocial.kernel import clock, ids
from xsocial.kernel.errors import Invalid, Unavailable

SERVING = health_pb2.HealthCheckResponse.SERVING
VIEWER = 1


def original(post_id, author):
    return (post_id, author, ids.timestamp_ms(post_id), 0, 0, 0, 0, post_id, 0)


@pytest.fixture
def backend():
    """A loaded store: ten posts each by authors 2, 3 and 4."""
    backend = Embedded()
    posts = [original(ids.next_id(), author) for _ in range(10) for author in (2, 3, 4)]
    backend.store.insert(PostColumns.of(posts), now_ms=clock.now_ms())
    backend.listener.ready = True
    return backend


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Paths of a certificate for this machine, signed by itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, today - timedelta(days=1), today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


def question(following=(2, 3), exclude=(), **fields):
    return Request(VIEWER, np.array(following, np.int64), np.array(exclude, np.int64), **fields)


def remote(channel, **options):
    client = thunder.RemoteThunder("unused", **options)
    client.__dict__["_stub"] = thunder_pb2_grpc.InNetworkPostsServiceStub(channel)
    return client


class Stuck:
    """A backend that answers only when released."""

    state = "ok"

    def __init__(self, backend):
        self.backend, self.entered, self.release = backend, threading.Event(), threading.Event()

    def lookup(self, request):
        self.entered.set()
        self.release.wait(5)
        return self.backend.lookup(request)


def test_the_client_gives_what_the_store_gives(serve, backend):
    client = remote(serve(thunder.service(backend)))
    newest = backend.lookup(question()).posts.post_id[:2]
    for asked in (question(), question(max_results=3), question(exclude=newest), question(following=[9])):
        ours, theirs = backend.lookup(asked), client.lookup(asked)
        assert (theirs.complete, theirs.path) == (ours.complete, ours.path)
        for column in PostColumns.__dataclass_fields__:
            assert getattr(theirs.posts, column).tolist() == getattr(ours.posts, column).tolist()
    assert len(client.lookup(question()).posts) == 20


@pytest.mark.parametrize("fields", [{}, {"user_id": VIEWER, "following_user_ids": b"123"}], ids=str)
def test_a_malformed_question_is_invalid(serve, backend, fields):
    stub = thunder_pb2_grpc.InNetworkPostsServiceStub(serve(thunder.service(backend)))
    with pytest.raises(grpc.RpcError) as error:
        stub.GetInNetworkPosts(thunder_pb2.GetInNetworkPostsRequest(**fields))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_store_that_still_loads_says_so(serve, backend):
    backend.listener.ready = False
    channel = serve(thunder.service(backend), is_ready=False)
    with pytest.raises(Unavailable) as error:
        remote(channel).lookup(question())
    assert error.value.extra == {"reason": "not_ready"}
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=thunder.SERVICE_NAME))
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_too_many_at_once_are_refused_at_once(serve, backend):
    stuck = Stuck(backend)
    channel = serve(thunder.service(stuck), workers=2, max_calls=1)
    stub = thunder_pb2_grpc.InNetworkPostsServiceStub(channel)
    first = stub.GetInNetworkPosts.future(
        thunder_pb2.GetInNetworkPostsRequest(user_id=VIEWER, following_user_ids=struct.pack("<q", 2)), timeout=5
    )
    assert stuck.entered.wait(5)
    started = time.monotonic()
    with pytest.raises(Unavailable) as error:
        remote(channel, timeout_s=5).lookup(question())
    assert error.value.extra == {"reason": "refused"}
    assert time.monotonic() - started < 1
    stuck.release.set()
    assert len(first.result().posts.post_id) == 10 * 8


def test_an_answer_after_the_deadline_is_not_waited_for(serve, backend):
    stuck = Stuck(backend)
    client = remote(serve(thunder.service(stuck)))
    started = time.monotonic()
    with pytest.raises(Unavailable) as error:
        client.lookup(question(deadline=time.monotonic() + 0.1))
    stuck.release.set()
    assert error.value.extra == {"reason": "late"}
    assert time.monotonic() - started < 2


def test_the_scan_stops_in_time_for_the_answer_to_arrive(serve, backend):
    asked = []

    class Watching:
        def lookup(self, request):
            asked.append(request.deadline - time.monotonic())
            return backend.lookup(request)

    remote(serve(thunder.service(Watching())), timeout_s=10).lookup(question())
    assert 6 < asked[0] < 8.2  # eight tenths of ten seconds, which the wire rounds up a little


def test_nobody_listening_is_unavailable():
    with pytest.raises(Unavailable):
        thunder.RemoteThunder("127.0.0.1:1", timeout_s=0.5).lookup(question())


def test_without_the_token_only_health_answers(serve, backend):
    channel = serve(thunder.service(backend), access=Access("open sesame"))
    assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status == SERVING
    for token in ("", "wrong"):
        with pytest.raises(Unavailable) as error:
            remote(channel, access=Access(token)).lookup(question())
        assert error.value.__cause__.code() == grpc.StatusCode.UNAUTHENTICATED
    assert len(remote(channel, access=Access("open sesame")).lookup(question()).posts) == 20


def test_with_tls_only_who_trusts_the_certificate_gets_an_answer(backend, certificate):
    access = Access("open sesame", *certificate, authority=certificate[0])
    server = RpcServer([thunder.service(backend)], address="127.0.0.1:0", access=access)
    server.server.start()
    target = f"localhost:{server.port}"
    try:
        assert len(thunder.RemoteThunder(target, access=access, timeout_s=5).lookup(question()).posts) == 20
        stranger = thunder.RemoteThunder(target, access=Access("open sesame"), timeout_s=2)
        with pytest.raises(Unavailable):
            stranger.lookup(question())
        assert stranger.state != "ok"
    finally:
        server.server.stop(0).wait()


@pytest.mark.parametrize("files", [("nowhere.pem", "nowhere.key"), ("nowhere.pem", "")])
def test_tls_files_that_cannot_be_read_are_a_clear_error(backend, files):
    with pytest.raises(Invalid, match="TLS"):
        RpcServer([thunder.service(backend)], address="127.0.0.1:0", access=Access("", *files))


def test_the_service_can_be_discovered(serve, backend):
    names = ProtoReflectionDescriptorDatabase(serve(thunder.service(backend))).get_services()
    assert thunder.SERVICE_NAME in names


def test_without_a_token_it_listens_on_this_machine_only(backend):
    with pytest.raises(Invalid):
        RpcServer([thunder.service(backend)], address="0.0.0.0:0")


def test_the_command_refuses_an_open_address_without_a_token(settings):
    settings.RPC_TOKEN = ""
    with pytest.raises(CommandError) as error:
        call_command("thunder", address="0.0.0.0:50052")
    assert error.value.returncode == 2
