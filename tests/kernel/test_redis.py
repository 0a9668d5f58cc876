"""A Valkey that hangs costs one wait, not one per question."""

import socket
from collections.abc import Iterator

import pytest
import redis as driver

from xsocial.kernel import redis


@pytest.fixture
def silent_address() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture(autouse=True)
def closed_breaker() -> Iterator[None]:
    redis.breaker.reset()
    yield
    redis.breaker.reset()


def test_after_a_time_out_nothing_waits_again(silent_address):
    client = redis._client(silent_address, 0.05)
    with pytest.raises(driver.TimeoutError):
        client.ping()

    with pytest.raises(driver.ConnectionError) as refused:
        client.get("anything")
    assert not isinstance(refused.value, driver.TimeoutError)
    with pytest.raises(driver.ConnectionError):
        redis.client("cache").ping()


def test_an_answering_server_is_asked_again_after_the_pause(silent_address):
    with pytest.raises(driver.TimeoutError):
        redis._client(silent_address, 0.05).ping()
    redis.breaker.reset()

    assert redis.client("cache").ping()


def test_a_refused_connection_does_not_pause():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(driver.ConnectionError):
        redis._client(f"redis://127.0.0.1:{port}/0", 0.05).ping()

    assert redis.client("cache").ping()
