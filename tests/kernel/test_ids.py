"""Ids: unique, rising, and readable as a time."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from xsocial.kernel import clock, ids


def test_ids_rise_across_threads_and_never_repeat():
    made: list[list[int]] = [[] for _ in range(4)]

    def make(into: list[int]) -> None:
        into.extend(ids.next_id() for _ in range(5000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(own == sorted(own) for own in made)
    assert len({id_ for own in made for id_ in own}) == 20_000


def test_an_id_tells_when_it_was_made():
    moment = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)
    with clock.fixed(moment):
        made = ids.next_id()
    assert ids.datetime_of(made) == moment
    assert ids.timestamp_ms(np.array([made, made])).tolist() == [clock.to_ms(moment)] * 2


def test_id_at_bounds_the_ids_of_a_millisecond():
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    with clock.fixed(moment):
        made = [ids.next_id() for _ in range(100)]
    ms = clock.to_ms(moment)
    assert ids.id_at(ms) <= min(made)
    assert max(made) < ids.id_at(ms + 1)


def test_the_published_epoch_is_id_zero():
    assert ids.id_at(1_288_834_974_657) == 0
    with pytest.raises(ValueError, match="no ids before"):
        ids.id_at(1_288_834_974_656)


def test_a_millisecond_used_up_borrows_from_the_next():
    generator = ids.Generator(worker=1)
    with clock.fixed(datetime(2026, 3, 2, tzinfo=UTC)):
        made = [generator.next_id() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_going_back_in_time_gives_fresh_ids_of_that_time():
    generator = ids.Generator(worker=1)
    later, earlier = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    made = []
    for moment in (later, earlier, later, earlier):
        with clock.fixed(moment):
            made.append(generator.next_id())
    assert len(set(made)) == 4
    assert [ids.datetime_of(id_) for id_ in made] == [later, earlier, later, earlier]


def test_a_clock_that_steps_back_a_little_does_not_reorder():
    generator = ids.Generator(worker=1)
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    with clock.fixed(moment):
        first = generator.next_id()
    with clock.fixed(moment - timedelta(milliseconds=500)):
        second = generator.next_id()
    assert second > first


@pytest.mark.parametrize("worker", [-1, 1024])
def test_a_worker_number_must_fit(worker: int):
    with pytest.raises(ValueError, match="worker must be"):
        ids.Generator(worker)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 5_000, None),
        ("-1", None),
        ("٣", None),
        ("1 ", None),
        ("", None),
    ],
)
def test_only_plain_digits_that_fit_a_column_name_an_id(text, number):
    assert ids.parsed(text) == number
