"""The moderators' dashboard."""

from datetime import date, timedelta

import pytest

from moderation import selectors, services
from moderation.grox import drift
from moderation.grox.classifiers import heads
from moderation.models import Appeal, PostAnnotation
from moderation.plots import bars, scale
from moderation.selectors.drift import drifts
from moderation.types import Label
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock


@pytest.mark.django_db
def test_the_dashboard_counts_draws_and_names_rules_that_are_often_wrong(client):
    moderator, post = ModeratorFactory(), PostFactory()
    for state in ("done", "done", "not_scored"):
        PostAnnotation.objects.create(post=post, plan="safety_ptos", state=state, milliseconds=30)
    row = services.apply_label(moderator=moderator, post=post, label=Label.SPAM)
    Appeal.objects.create(label=row, author=post.author, statement="no", state="upheld")
    with clock.fixed(clock.now() - timedelta(hours=5)):
        services.report(user=UserFactory(), post=PostFactory(), reason="spam")
    board = selectors.dashboard()
    assert (board.volume[-1], board.milliseconds[-1]) == (3.0, 30.0)
    assert board.not_scored[-1] == pytest.approx(1 / 3)
    assert board.labels["SPAM"][-1] == 1
    assert board.oldest_report_hours[-1] == pytest.approx(5, abs=0.1)
    assert board.oldest_report_hours[:-2] == [0.0] * (len(board.days) - 2)
    assert [(rule.rule, rule.share_upheld) for rule in board.rules] == [("moderator", 1.0)]
    client.force_login(moderator)
    page = client.get("/moderation/dashboard").text
    assert page.count("<svg viewBox") == 7 + len(board.drifts)
    assert page.count("plot__limit") == len(board.drifts)
    assert 'max="1" value="1" aria-label="1 of 1"' in page
    assert '<td class="num">33.3</td>' in page
    client.force_login(post.author)
    assert client.get("/moderation/dashboard").status_code == 404


def test_the_index_is_nought_for_equal_shares_and_grows_with_the_distance():
    even = drift.shares([1] * drift.BINS)
    assert drift.stability_index(even, even) == 0
    # by hand: (0.4 - 0.5) ln(0.4/0.5) + (0.6 - 0.5) ln(0.6/0.5)
    assert drift.stability_index([0.5, 0.5], [0.4, 0.6]) == pytest.approx(0.040547, abs=1e-6)
    assert drift.stability_index([1.0, 0.0], [0.0, 1.0]) > 10


@pytest.mark.django_db
def test_scores_unlike_those_of_the_weeks_before_show_in_their_week():
    head = heads.load("toxicity")
    post = PostFactory()
    usual = [0.01] * 90 + [0.15] * 10
    for back, values, version in (
        (21, usual, head.version),
        (14, [0.95] * 10, head.version),
        (7, usual, head.version),
        (7, [0.95] * 900, "toxicity_other"),
        (0, [0.95] * 60, head.version),
    ):
        with clock.fixed(clock.now() - timedelta(days=back)):
            PostAnnotation.objects.bulk_create(
                PostAnnotation(
                    post=post,
                    plan="post_safety",
                    state="done",
                    versions={"toxicity": version},
                    result={"safety": {"scores": {"toxicity.toxic": value}}},
                )
                for value in values
            )
    [found] = [each for each in drifts() if each.task == "toxicity"]
    assert found.indices[:-2] == [0] * 6  # nothing before the first to compare with, then too few to say
    assert 0 < found.indices[-2] < 10 * drift.NOTABLE  # those few count among the weeks before
    assert found.indices[-1] > 10 * drift.NOTABLE
    assert found.is_notable


@pytest.mark.django_db
def test_ages_are_those_of_each_midnight_and_seconds_those_of_new_posts():
    moderator, now = ModeratorFactory(), clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    with clock.fixed(now - timedelta(days=3)):
        row = services.report(user=UserFactory(), post=PostFactory(), reason="spam")
        new = PostFactory()
    with clock.fixed(now - timedelta(days=1)):
        services.decide_report(moderator=moderator, report=row, is_upheld=False)
    for stream, seconds in (("realtime", 2), ("bulk", 900)):
        PostAnnotation.objects.create(
            post=new,
            plan="safety_ptos",
            state="done",
            stream=stream,
            milliseconds=40 if stream == "realtime" else 0,
            created_at=new.created_at + timedelta(seconds=seconds),
        )
    with clock.fixed(now):
        board = selectors.dashboard()
    assert board.oldest_report_hours[-5:] == [0.0, 12.0, 36.0, 0.0, 0.0]
    assert board.oldest_appeal_hours == [0.0] * len(board.days)
    assert (board.volume[-4], board.seconds[-4], board.milliseconds[-4]) == (2.0, 2.0, 40.0)


def test_bars_stand_before_a_scale_and_say_their_days_and_values():
    days = [date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11)]
    drawn = bars([1, 4, 0], days, title="<Posts>")
    assert drawn.count("<rect") == 3
    assert "<title>10 Nov: 4</title>" in drawn
    assert 'aria-label="&lt;Posts&gt;: at most 4"' in drawn
    assert [f'text-anchor="end">{mark}</text>' in drawn for mark in (0, 2, 4, 1, 3)] == [True, True, True, False, False]
    assert all(f">{day}</text>" in drawn for day in ("9 Nov", "10 Nov", "11 Nov"))
    assert "plot__limit" not in drawn
    assert ">30k</text>" in bars([25_596, 0, 3], days, title="Posts")
    assert "plot__limit" in bars([1, 4, 0], days, title="Posts", limit=2)
    assert "<rect" not in bars([], [], title="Posts")


@pytest.mark.parametrize(
    ("largest", "is_whole", "marks"),
    [
        (0, True, [0, 1]),
        (1, True, [0, 1]),
        (7, True, [0, 3, 6, 9]),
        (25_596, True, [0, 10_000, 20_000, 30_000]),
        (2.03, False, [0, 1, 2, 3]),
        (0.145, False, [0, 0.05, 0.1, 0.15]),
    ],
)
def test_scales_are_round_and_reach_the_largest(largest, is_whole, marks):
    assert scale(largest, is_whole=is_whole) == pytest.approx(marks)
