"""From a label to its author's eyes, an appeal and back; and what moderators see of it."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import Permission

from accounts.models import Follow
from moderation import selectors, services
from moderation.grox import run
from moderation.grox.payload import Stream
from moderation.models import Appeal, PostFlags, PostLabel, ReviewDecision, Strike
from moderation.selectors.queue import independent_weight, reporter_weights
from moderation.types import Label, QueueKind
from posts.models import Notification
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import NotAllowed

pytestmark = pytest.mark.django_db
INSULT = "You are a worthless idiot, go to hell"


@pytest.fixture
def moderator():
    return ModeratorFactory()


def notices(user):
    return Notification.objects.filter(recipient=user, kind="moderation_warning")


def analyze(post):
    run.analyze([post.pk], stream=Stream.EDITED)


def test_label_notice_appeal_reversal_and_refused_reapplication(client, moderator):
    post = PostFactory(text=INSULT)
    analyze(post)
    assert notices(post.author).get().post == post
    client.force_login(post.author)
    assert (
        "Insults: this post is limited" in client.get(f"/posts/{post.pk}/labels", headers={"HX-Request": "true"}).text
    )
    page = client.get(f"/posts/{post.pk}/labels").text
    assert "policy.HateOrAbuse.InsultsWithTarget" in page
    assert "to others: not shown" in page
    row = PostLabel.objects.get(post=post, label="FOSNR_ABUSE_INSULTS")
    client.post(f"/labels/{row.pk}/appeal", {"statement": "A line from a play."})
    [entry] = selectors.entries(QueueKind.APPEALS)
    assert entry.notes == ("A line from a play.",)
    assert entry.reasons == ("Insults, put on by policy.HateOrAbuse.InsultsWithTarget",)

    client.force_login(moderator)
    appeal = Appeal.objects.get()
    client.post("/moderation", {"kind": "appeals", "id": appeal.pk, "verdict": "uphold", "note": "It is."})
    assert "FOSNR_ABUSE_INSULTS" not in selectors.labels_for([post.pk])[post.pk]
    analyze(post)
    assert "FOSNR_ABUSE_INSULTS" not in selectors.labels_for([post.pk])[post.pk]
    assert ReviewDecision.objects.get(action="appeal_upheld").note == "It is."


def test_a_newer_notice_replaces_the_older_one_and_marks_of_progress_send_none(moderator):
    post = PostFactory(text="A fine morning in the park, the ducks are back")
    analyze(post)
    assert not notices(post.author).exists()
    for label in (Label.SPAM, Label.SELF_HARM):
        services.apply_label(moderator=moderator, post=post, label=label)
        assert notices(post.author).count() == 1


@pytest.mark.parametrize("is_staff", [False, True])
def test_others_see_neither_labels_nor_the_queue(client, is_staff):
    post = PostFactory()
    client.force_login(UserFactory(is_staff=is_staff))
    for address in (f"/posts/{post.pk}/labels", "/moderation"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 404)])
def test_the_permission_makes_a_moderator_of_staff(client, is_staff, status):
    user = UserFactory(is_staff=is_staff)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))
    client.force_login(user)
    assert client.get("/moderation").status_code == status


def test_three_strikes_suspend_and_a_withdrawn_one_reinstates(moderator):
    author = UserFactory()
    rows = [
        services.apply_label(moderator=moderator, post=PostFactory(author=author), label=Label.SPAM) for _ in range(3)
    ]
    author.refresh_from_db()
    assert author.suspended_at
    assert ReviewDecision.objects.filter(action="account_suspended").count() == 1
    services.lift_label(moderator=moderator, label=rows[0], note="wrong")
    author.refresh_from_db()
    assert author.suspended_at is None


@pytest.mark.parametrize("label", Label)
def test_only_labels_for_violations_are_strikes(moderator, label):
    row = services.apply_label(moderator=moderator, post=PostFactory(), label=label)
    broken = label.startswith("FOSNR_") or label in {
        "SPAM", "SPAM_HIGH_RECALL", "IMPERSONATION", "MALICIOUS_URL", "EGREGIOUS_NSFW", "PDNA", "CHILD_SAFETY",
    }  # fmt: skip
    assert Strike.objects.filter(label=row).exists() is broken


def test_old_strikes_do_not_count(moderator):
    author = UserFactory()
    for _ in range(3):
        services.apply_label(moderator=moderator, post=PostFactory(author=author), label=Label.SPAM)
        Strike.objects.update(expires_at=clock.now() - timedelta(days=1))
    author.refresh_from_db()
    assert author.suspended_at is None


def test_friends_who_report_together_weigh_like_one_person():
    crowd = {1: 0.5, 2: 0.5, 3: 0.25, 4: 0.5}
    assert independent_weight(crowd, set()) == pytest.approx(1.75)
    assert independent_weight(crowd, {(1, 2), (2, 3)}) == pytest.approx(1.0)


def test_a_reporter_is_trusted_as_far_as_earlier_reports_were_right(moderator):
    long_ago = clock.now() - timedelta(days=30)
    good, bad, fresh = UserFactory(date_joined=long_ago), UserFactory(date_joined=long_ago), UserFactory()
    for user, is_upheld in ((good, True), (bad, False)):
        row = services.report(user=user, post=PostFactory(), reason="spam")
        services.decide_report(moderator=moderator, report=row, is_upheld=is_upheld)
    assert reporter_weights([good, bad, fresh]) == pytest.approx({good.pk: 2 / 3, bad.pk: 1 / 3, fresh.pk: 1 / 8})


def test_the_queue_puts_independent_reports_before_a_clique_and_decides_in_bulk(client, moderator):
    by_clique, by_strangers = PostFactory(), PostFactory()
    clique, strangers = [UserFactory() for _ in range(3)], [UserFactory() for _ in range(2)]
    for one, other in pairwise(clique):
        Follow.objects.create(follower=one, followee=other)
    for user in clique:
        services.report(user=user, post=by_clique, reason="spam")
    for user in strangers:
        services.report(user=user, post=by_strangers, reason="abuse")
    rows = selectors.entries(QueueKind.REPORTS)
    assert [row.post for row in rows] == [by_strangers, by_clique]
    assert rows[1].num_people == 3
    client.force_login(moderator)
    assert "2 times Abuse" in client.get("/moderation").text
    client.post("/moderation", {"kind": "reports", "id": [row.pk for row in rows], "verdict": "abuse"})
    assert selectors.waiting()[QueueKind.REPORTS] == 0
    assert {"FOSNR_ABUSE_INSULTS"} <= selectors.labels_for([by_clique.pk])[by_clique.pk]


def test_posts_that_the_models_were_not_sure_of_wait_until_somebody_has_looked(client, moderator):
    harmless, spam = PostFactory(), PostFactory()
    for post in (harmless, spam):
        PostFlags.objects.create(post=post, is_borderline=True)
    assert selectors.waiting()[QueueKind.UNSURE] == 2
    client.force_login(moderator)
    client.post("/moderation", {"kind": "unsure", "id": harmless.pk, "verdict": "dismiss"})
    client.post("/moderation", {"kind": "unsure", "id": spam.pk, "verdict": "spam"})
    assert selectors.waiting()[QueueKind.UNSURE] == 0
    assert "SPAM" in selectors.labels_for([spam.pk])[spam.pk]
    assert set(ReviewDecision.objects.values_list("action", flat=True)) == {
        "found_harmless",
        "label_applied",
        "strike_given",
    }


@pytest.mark.parametrize("form", [{"kind": "reports"}, {"kind": "cakes", "id": 1, "verdict": "dismiss"}])
def test_the_queue_refuses_what_it_does_not_know(client, moderator, form):
    client.force_login(moderator)
    assert client.post("/moderation", form).status_code == 422


def test_nobody_decides_a_case_of_their_own(client, moderator):
    own, other = PostFactory(author=moderator), PostFactory()
    about_me = services.report(user=UserFactory(), post=own, reason="spam")
    account = services.report(user=UserFactory(), account=moderator, reason="other")
    mine = services.report(user=moderator, post=PostFactory(), reason="spam")
    services.report(user=UserFactory(), post=other, reason="spam")
    entries = selectors.entries(QueueKind.REPORTS)
    assert {entry.pk for entry in entries if moderator.pk in entry.involved} == {about_me.pk, account.pk, mine.pk}

    client.force_login(moderator)
    page = client.get("/moderation").text
    assert page.count(" disabled>") == page.count("You are part of this case.") == 3
    form = {"kind": "reports", "id": [entry.pk for entry in entries], "verdict": "dismiss"}
    words = client.post("/moderation", form, follow=True).text
    assert "1 decided. 3 left: Somebody else must decide" in words
    assert selectors.waiting()[QueueKind.REPORTS] == 3


def test_nobody_labels_frees_or_clears_a_post_of_their_own(moderator):
    post, colleague = PostFactory(author=moderator), ModeratorFactory()
    PostFlags.objects.create(post=post, is_borderline=True)
    assert services.decide_many(moderator=moderator, kind=QueueKind.UNSURE, ids=[post.pk], verdict="dismiss")[0] == 0
    with pytest.raises(NotAllowed):
        services.apply_label(moderator=moderator, post=post, label=Label.GROK_SFA)
    label = services.apply_label(moderator=colleague, post=post, label=Label.SPAM)
    services.appeal(author=moderator, label=label, statement="No.")
    with pytest.raises(NotAllowed):
        services.lift_label(moderator=moderator, label=label)
    assert selectors.entries(QueueKind.APPEALS)[0].involved == {moderator.pk, colleague.pk}
    for party in (moderator, colleague):
        form = {"moderator": party, "kind": QueueKind.APPEALS, "ids": [Appeal.objects.get().pk], "verdict": "uphold"}
        assert services.decide_many(**form)[0] == 0
    assert ReviewDecision.objects.filter(moderator=moderator).count() == 0
    assert services.decide_many(**form | {"moderator": ModeratorFactory()})[0] == 1
