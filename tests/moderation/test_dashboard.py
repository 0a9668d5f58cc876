"""The moderators' dashboard."""

from datetime import timedelta

import pytest

from moderation import selectors, services
from moderation.models import Appeal, PostAnnotation
from moderation.plots import bars
from moderation.types import Label
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock


@pytest.mark.django_db
def test_the_dashboard_counts_draws_and_names_rules_that_are_often_wrong(client):
    moderator, post = UserFactory(is_staff=True), PostFactory()
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
    assert page.count("<svg viewBox") == 4
    client.force_login(post.author)
    assert client.get("/moderation/dashboard").status_code == 404


def test_bars_are_scaled_to_the_largest_and_escape_names():
    drawn = bars([1, 2, 0], ["a", "<b>", "c"], title="Posts")
    assert drawn.count("<rect") == 3
    assert 'height="80.0"><title>&lt;b&gt;: 2</title>' in drawn
    assert "<rect" not in bars([], [], title="Posts")
