"""The event log: nothing lost, nothing early, readable in three ways."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

import pytest
from django.conf import settings
from django.db import connection, transaction

from xsocial.kernel import clock, event_log, redis
from xsocial.kernel.event_log import readers, relay
from xsocial.kernel.models import OutboxEvent


@dataclasses.dataclass(frozen=True)
class BellRang(event_log.Event):
    name: ClassVar[str] = "tests.bell_rang"
    version: ClassVar[int] = 2

    number: int
    tones: tuple[int, ...] = ()


def payloads(envelopes) -> list[int]:
    return [envelope.event.number for envelope in envelopes]


@pytest.fixture
def running_relay() -> Iterator[event_log.Relay]:
    """A relay in a thread, as it runs in its own process."""
    instance = event_log.Relay(sweep_s=0.2)
    thread = threading.Thread(target=instance.run)
    thread.start()
    yield instance
    instance.stop()
    thread.join(5)
    assert not thread.is_alive()


def wait_for(condition, *, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def num_unsent() -> int:
    return OutboxEvent.objects.filter(sent_at=None).count()


@pytest.mark.django_db
def test_an_event_survives_the_way_through_outbox_and_stream():
    event_log.publish(BellRang(1, tones=(3, 4)))
    assert relay.relay_batch() == 1

    (envelope,) = event_log.Tail(readers.START).read(block_ms=10)
    assert envelope.event == BellRang(1, tones=(3, 4))
    assert envelope.outbox_id == OutboxEvent.objects.get().id
    assert num_unsent() == 0


@pytest.mark.django_db
def test_events_keep_their_order_and_are_sent_once_when_all_goes_well():
    for number in range(30):
        event_log.publish(BellRang(number))
    assert relay.relay_batch() == 30
    assert relay.relay_batch() == 0
    assert payloads(event_log.Tail(readers.START).read(block_ms=10)) == list(range(30))


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_announces_nothing():
    with transaction.atomic():
        event_log.publish(BellRang(1))
        transaction.set_rollback(True)
    assert relay.relay_batch() == 0


@pytest.mark.django_db(transaction=True)
def test_a_late_commit_with_an_earlier_id_is_not_lost():
    slow = connection.copy()
    slow.set_autocommit(False)
    with slow.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_outboxevent (name, version, payload, created_at)"
            " VALUES ('tests.bell_rang', 2, '{\"number\": 1}', now())"
        )
    event_log.publish(BellRang(2))
    assert relay.relay_batch() == 1
    slow.commit()
    slow.close()
    assert relay.relay_batch() == 1
    assert payloads(event_log.Tail(readers.START).read(block_ms=10)) == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_the_relay_is_woken_by_the_commit(running_relay):
    tail = event_log.Tail(readers.START)
    event_log.publish(BellRang(0))
    wait_for(lambda: tail.read(block_ms=100))  # it listens now

    waits = []
    for number in range(1, 6):
        began = time.monotonic()
        event_log.publish(BellRang(number))
        assert payloads(tail.read(block_ms=2000)) == [number]
        waits.append(time.monotonic() - began)
    assert sorted(waits)[2] < 0.1  # the sweep alone would take 0.1 s on average, 0.2 at worst


@pytest.mark.django_db(transaction=True)
def test_without_valkey_events_wait_and_then_catch_up(running_relay, monkeypatch):
    class Away:
        def pipeline(self, **_):
            raise redis.RedisError("away")

    with monkeypatch.context() as outage:
        outage.setattr(relay.redis, "client", lambda *_: Away())
        event_log.publish(BellRang(1))
        time.sleep(0.3)
        assert num_unsent() == 1
    wait_for(lambda: num_unsent() == 0)
    assert payloads(event_log.Tail(readers.START).read(block_ms=10)) == [1]


@pytest.mark.django_db(transaction=True)
def test_only_one_relay_works_at_a_time(running_relay):
    event_log.publish(BellRang(1))
    wait_for(lambda: num_unsent() == 0)
    with connection.cursor() as cursor:
        assert relay._try_lock(cursor) is False


@pytest.mark.django_db
def test_a_group_shares_entries_and_acknowledges_them():
    heard: list[int] = []
    first, second = (
        event_log.Consumer("choir", name, {BellRang: lambda event: heard.append(event.number)}) for name in "ab"
    )
    for number in range(10):
        event_log.publish(BellRang(number))
    relay.relay_batch()
    assert first.poll(block_ms=10, count=6) + second.poll(block_ms=10) == 10
    assert sorted(heard) == list(range(10))
    assert redis.client().xpending(settings.EVENT_STREAM, "choir")["pending"] == 0


@pytest.mark.django_db
def test_a_failed_entry_is_claimed_by_another_and_finally_set_aside(monkeypatch):
    monkeypatch.setattr(readers, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(readers, "MAX_DELIVERIES", 3)

    def broken(event: BellRang) -> None:
        raise ValueError(event.number)

    event_log.publish(BellRang(1))
    relay.relay_batch()
    for name in "abcd":
        assert event_log.Consumer("choir", name, {BellRang: broken}).poll(block_ms=10) == 0
    stream = redis.client()
    assert stream.xpending(settings.EVENT_STREAM, "choir")["pending"] == 0
    ((_, dead),) = stream.xrange(f"{settings.EVENT_STREAM}:dead")
    assert dead[b"name"] == b"tests.bell_rang"


@pytest.mark.django_db
def test_unknown_events_are_skipped_and_the_rest_is_read():
    OutboxEvent.objects.create(name="from.the_future", version=9, payload={}, created_at=clock.now())
    event_log.publish(BellRang(7))
    relay.relay_batch()
    assert payloads(event_log.Tail(readers.START).read(block_ms=10)) == [7]
    assert [event.number for event in event_log.replay(since=clock.now() - timedelta(hours=1))] == [7]


def test_fields_from_newer_code_are_dropped():
    event = event_log.decode("tests.bell_rang", 3, {"number": 1, "tones": [2], "colour": "red"})
    assert event == BellRang(1, tones=(2,))


def test_two_events_may_not_share_a_name():
    with pytest.raises(TypeError, match="declared by"):
        type("Other", (event_log.Event,), {"name": "tests.bell_rang"})


@pytest.mark.django_db
def test_a_tail_from_latest_starts_at_its_first_read():
    event_log.publish(BellRang(1))
    relay.relay_batch()
    tail = event_log.Tail()
    assert tail.read(block_ms=1) == []
    event_log.publish(BellRang(2))
    relay.relay_batch()
    assert payloads(tail.read(block_ms=10)) == [2]


@pytest.mark.django_db
def test_sent_rows_are_purged_after_their_retention_and_unsent_ones_never():
    with clock.fixed(clock.now() - timedelta(hours=49)):
        event_log.publish(BellRang(1))
        relay.relay_batch()
        event_log.publish(BellRang(2))
    assert relay.purge() == 1
    assert OutboxEvent.objects.get().payload["number"] == 2
