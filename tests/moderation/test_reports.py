"""Reports and decisions about them."""

import pytest

from moderation import selectors, services
from moderation.models import Report, ReviewDecision
from moderation.types import Label
from posts.models import Engagement
from posts.types import EngagementKind
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, RateLimited

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return ModeratorFactory()


def test_a_report_is_filed_once_and_counts_as_feedback():
    user, post = UserFactory(), PostFactory()
    first = services.report(user=user, post=post, reason="spam", note="again and again")
    assert services.report(user=user, post=post, reason="abuse") == first
    assert first.account == post.author
    assert Engagement.objects.filter(user=user, post=post, kind=EngagementKind.REPORT).count() == 1


def test_an_account_can_be_reported_without_a_post():
    account = UserFactory()
    filed = services.report(user=UserFactory(), account=account, reason="impersonation")
    assert (filed.account, filed.post) == (account, None)


def test_bad_reports():
    user, post = UserFactory(), PostFactory()
    with pytest.raises(Invalid):
        services.report(user=user, post=post, reason="dislike")
    with pytest.raises(Invalid):
        services.report(user=user, reason="spam")
    with pytest.raises(Invalid):
        services.report(user=post.author, post=post, reason="spam")
    hidden = PostFactory(visibility="direct")
    with pytest.raises(NotFound):
        services.report(user=user, post=hidden, reason="spam")


def test_reports_are_limited(monkeypatch):
    monkeypatch.setattr("moderation.services.reports.REPORTS_PER_HOUR", 1)
    user = UserFactory()
    services.report(user=user, account=UserFactory(), reason="spam")
    with pytest.raises(RateLimited):
        services.report(user=user, account=UserFactory(), reason="spam")


def test_one_decision_closes_all_reports_of_the_same_post(moderator):
    post = PostFactory()
    filed = [services.report(user=UserFactory(), post=post, reason="spam") for _ in range(2)]
    services.decide_report(moderator=moderator, report=filed[0], is_upheld=True, label=Label.SPAM, note="clear")
    assert set(Report.objects.values_list("state", flat=True)) == {"upheld"}
    assert selectors.labels_for([post.pk])[post.pk] == {"SPAM"}
    actions = set(ReviewDecision.objects.values_list("action", flat=True))
    assert actions == {"label_applied", "strike_given", "report_upheld"}
    with pytest.raises(Conflict):
        services.decide_report(moderator=moderator, report=filed[1], is_upheld=False)


def test_decisions_have_conditions(moderator):
    filed = services.report(user=UserFactory(), account=UserFactory(), reason="spam")
    with pytest.raises(NotAllowed):
        services.decide_report(moderator=filed.reporter, report=filed, is_upheld=True)
    with pytest.raises(Invalid):
        services.decide_report(moderator=moderator, report=filed, is_upheld=True, label=Label.SPAM)
    services.decide_report(moderator=moderator, report=filed, is_upheld=False)
    filed.refresh_from_db()
    assert (filed.state, filed.decided_at is not None) == ("dismissed", True)


def test_the_queue_in_the_admin(admin_client, settings, moderator):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    post = PostFactory()
    filed = services.report(user=UserFactory(), post=post, reason="spam")
    page = admin_client.get("/admin/moderation/report/")
    assert page.status_code == 200
    action = {"action": "uphold_as_spam", "_selected_action": [filed.pk]}
    assert admin_client.post("/admin/moderation/report/", action).status_code == 302
    assert selectors.labels_for([post.pk])[post.pk] == {"SPAM"}
    for name in ("postlabel", "appeal", "postannotation", "postflags", "reviewdecision", "strike"):
        assert admin_client.get(f"/admin/moderation/{name}/").status_code == 200
    assert post.author.username in admin_client.get(f"/admin/moderation/strike/?q={post.author.username}").text
