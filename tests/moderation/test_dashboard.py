"""The moderators' dashboard."""

from datetime import timedelta

import pytest

from moderation import selectors, services
from moderation.grox import drift
from moderation.grox.classifiers import heads
from moderation.models import Appeal, PostAnnotation
from moderation.plots import bars
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
    assert board.oldest_report_hours == pytest.approx(5, abs=0.1)
    assert [(rule.rule, rule.share_upheld) for rule in board.rules] == [("moderator", 1.0)]
    client.force_login(moderator)
    page = client.get("/moderation/dashboard").text
    assert page.count("<svg viewBox") == 4 + len(board.drifts)
    client.force_login(post.author)
    assert client.get("/moderation/dashboard").status_code == 404


def test_the_index_is_nought_for_equal_shares_and_grows_with_the_distance():
    even = drift.shares([1] * drift.BINS)
    assert drift.stability_index(even, even) == 0
    # by hand: (0.4 - 0.5) ln(0.4/0.5) + (0.6 - 0.5) ln(0.6/0.5)
    assert drift.stability_index([0.5, 0.5], [0.4, 0.6]) == pytest.approx(0.040547, abs=1e-6)
    assert drift.stability_index([1.0, 0.0], [0.0, 1.0]) > 10
    assert drift.histogram([0.05, 0.05, 0.55, 1.0]) == [0.5, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.25]


@pytest.mark.django_db
def test_scores_that_move_away_from_the_reference_show_in_their_week(monkeypatch):
    head = heads.load("toxicity")
    usual = [0.9, 0.1, *[0.0] * 8]
    monkeypatch.setitem(head.about, "reference", {"toxic": usual})
    post = PostFactory()
    for back, values, version in (
        (7, [0.01] * 90 + [0.15] * 10, head.version),
        (0, [0.95] * 60, head.version),
        (0, [0.05] * 900, "toxicity_other"),
        (14, [0.95] * 10, head.version),
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
    assert found.indices[-3] == 0  # too few to say
    assert found.indices[-2] == pytest.approx(0, abs=0.01)
    assert found.indices[-1] > drift.NOTABLE
    assert found.is_notable


def test_bars_are_scaled_to_the_largest_and_escape_names():
    drawn = bars([1, 2, 0], ["a", "<b>", "c"], title="Posts")
    assert drawn.count("<rect") == 3
    assert 'height="80.0"><title>&lt;b&gt;: 2</title>' in drawn
    assert "<rect" not in bars([], [], title="Posts")
