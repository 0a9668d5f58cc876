"""Clock, errors, metrics, rate limits: the small parts of the kernel."""

from datetime import UTC, datetime, timedelta

import pytest

from xsocial.kernel import clock, errors, metrics, rate_limit, redis, words


def test_a_fixed_clock_nests_and_ends():
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    with clock.fixed(first):
        with clock.fixed(second):
            assert clock.now() == second
        assert clock.now() == first
    assert clock.now() - datetime.now(UTC) < timedelta(seconds=1)


def test_the_clock_refuses_a_naive_moment():
    with pytest.raises(ValueError, match="aware"), clock.fixed(datetime(2026, 1, 1)):
        pass


@pytest.mark.parametrize("ms", [0, 1_288_834_974_657, 1_772_452_800_123])
def test_milliseconds_and_moments_translate_exactly(ms: int):
    assert clock.to_ms(clock.from_ms(ms)) == ms


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, ""), (999, "999"), (1_000, "1k"), (1_290, "1.2k"), (34_500, "34.5k"), (345_600, "345k"), (5_600_000, "5.6M")],
)
def test_counts_take_few_signs(number: int, said: str):
    assert words.compact(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(59, "now"), (60, "1m"), (7_199, "1h"), (86_400, "1d"), (7 * 86_400, "22 Feb")]
)
def test_ages_are_short(seconds: int, said: str):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert words.age(now - timedelta(seconds=seconds), now) == said


def test_errors_speak_to_people_and_machines():
    assert errors.NotFound().message == "There is nothing here."
    error = errors.Invalid("Too long.", extra={"field": "text", "limit": 280})
    assert (error.message, error.extra, error.status) == ("Too long.", {"field": "text", "limit": 280}, 422)


def test_a_metric_is_made_once_and_keeps_its_kind():
    counter = metrics.counter("test_bells", labels=("tower",))
    counter.labels("north").inc()
    assert metrics.counter("test_bells", labels=("tower",)) is counter
    with pytest.raises(TypeError, match="is a Counter"):
        metrics.gauge("test_bells")


def test_a_limit_counts_per_window_and_key(noon):
    results = [rate_limit.hit("post", "anna", 2, 60) for _ in range(3)]
    assert [result.is_allowed for result in results] == [True, True, False]
    assert [result.remaining for result in results] == [1, 0, 0]
    assert rate_limit.hit("post", "ben", 2, 60).is_allowed
    with clock.fixed(noon + timedelta(seconds=60)):
        assert rate_limit.hit("post", "anna", 2, 60).is_allowed
    assert results[0].reset_ms == clock.to_ms(noon) + 60_000


def test_a_limit_lets_everything_through_without_valkey(monkeypatch, settings):
    monkeypatch.setattr(redis, "url", lambda db: "redis://127.0.0.1:1/0")
    assert all(rate_limit.hit("post", "anna", 1, 60).is_allowed for _ in range(3))
