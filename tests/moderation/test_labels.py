"""Labels in the database: put on, taken off, refused, announced, read."""

import threading
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection, transaction

from moderation import selectors, services
from moderation.models import PostFlags, PostLabel, ReviewDecision
from moderation.services import NewLabel
from moderation.types import Label, LabelSource
from posts.selectors import thread, visible_ids
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db

SPAM = NewLabel(Label.SPAM_HIGH_RECALL, "policy.Spam.FinancialScam", evidence={"text": "h1"})
REVIEWED = NewLabel(Label.PTOS_REVIEWED, "policy.reviewed")
UNSAFE = NewLabel(Label.GROK_NSFA, "safety.suitability")


@pytest.fixture
def post():
    return PostFactory()


@pytest.fixture
def moderator():
    return ModeratorFactory()


def reconcile(post, *wanted, rules=("policy.", "safety.")):
    services.reconcile_labels({post.pk: wanted}, rules=rules)


def labels(post):
    return selectors.labels_for([post.pk])[post.pk]


def announced(post):
    rows = OutboxEvent.objects.filter(name="moderation.post_labelled", payload__post_id=post.pk).order_by("id")
    return [(set(row.payload["applied"]), set(row.payload["lifted"])) for row in rows]


def test_labels_follow_what_is_justified_now(post):
    reconcile(post, SPAM, REVIEWED)
    reconcile(post, SPAM, REVIEWED)
    assert labels(post) == {"SPAM_HIGH_RECALL", "PTOS_REVIEWED"}
    reconcile(post, REVIEWED)
    assert labels(post) == {"PTOS_REVIEWED"}
    assert announced(post) == [({"SPAM_HIGH_RECALL", "PTOS_REVIEWED"}, set()), (set(), {"SPAM_HIGH_RECALL"})]
    assert PostLabel.objects.get(post=post, label="SPAM_HIGH_RECALL").lifted_reason == "no longer justified"


def test_other_rules_and_people_keep_their_labels(post, moderator):
    services.apply_label(moderator=moderator, post=post, label=Label.DO_NOT_AMPLIFY)
    reconcile(post, SPAM)
    reconcile(post, rules="reply.")
    assert labels(post) == {"DO_NOT_AMPLIFY", "SPAM_HIGH_RECALL"}
    reconcile(post)
    assert labels(post) == {"DO_NOT_AMPLIFY"}
    assert PostLabel.objects.get(post=post, lifted_at=None).source == LabelSource.MODERATOR


def test_a_risky_reply_goes_below_its_neighbours_in_the_conversation(post, moderator, client):
    risky, plain = PostFactory(in_reply_to=post), PostFactory(in_reply_to=post)
    below_risky, last = PostFactory(in_reply_to=risky), PostFactory(in_reply_to=post)
    assert thread(None, post).descendants == [risky, below_risky, plain, last]
    services.apply_label(moderator=moderator, post=risky, label=Label.RISKY_HIGH_VIZ_REPLY)
    assert thread(None, post).descendants == [plain, last, risky, below_risky]
    context = client.get(f"/api/v1/statuses/{post.pk}/context").json()
    assert context["descendants"][0]["id"] == str(plain.pk)
    services.lift_label(moderator=moderator, label=PostLabel.objects.get(label="RISKY_HIGH_VIZ_REPLY"))
    assert thread(None, post).descendants[0] == risky


def test_expired_labels_are_gone(post, moderator):
    with clock.fixed(clock.now() - timedelta(hours=2)):
        soon = clock.now() + timedelta(hours=1)
        services.apply_label(moderator=moderator, post=post, label=Label.DO_NOT_AMPLIFY, expires_at=soon)
    assert labels(post) == set()
    with pytest.raises(Invalid):
        services.apply_label(moderator=moderator, post=post, label=Label.SPAM, expires_at=soon)


def test_only_moderators_touch_labels_and_all_is_logged(post, moderator):
    with pytest.raises(NotAllowed):
        services.apply_label(moderator=post.author, post=post, label=Label.SPAM)
    row = services.apply_label(moderator=moderator, post=post, label=Label.SPAM, note="seen")
    assert services.apply_label(moderator=moderator, post=post, label=Label.SPAM) == row
    with pytest.raises(NotAllowed):
        services.lift_label(moderator=post.author, label=row)
    services.lift_label(moderator=moderator, label=row)
    with pytest.raises(NotFound):
        services.lift_label(moderator=moderator, label=row)
    assert list(ReviewDecision.objects.order_by("id").values_list("action", flat=True)) == [
        "label_applied",
        "strike_given",
        "label_lifted",
    ]


def test_a_granted_appeal_takes_the_label_off_for_good_unless_the_evidence_changes(post, moderator):
    reconcile(post, SPAM, UNSAFE, REVIEWED)
    row = PostLabel.objects.get(post=post, label="SPAM_HIGH_RECALL")
    objection = services.appeal(author=post.author, label=row, statement="It is a joke among friends.")
    services.decide_appeal(moderator=moderator, appeal=objection, is_upheld=True)
    assert labels(post) == {"GROK_SFA", "PTOS_REVIEWED"}
    reconcile(post, SPAM, REVIEWED)
    assert "SPAM_HIGH_RECALL" not in labels(post)
    changed = NewLabel(SPAM.label, SPAM.rule, evidence={"text": "h2"})
    reconcile(post, changed, REVIEWED)
    assert "SPAM_HIGH_RECALL" in labels(post)
    assert not any(PostFlags.objects.filter(post=post).values_list(*PostFlags.NAMES)[0])


def test_appeals_have_conditions(post, moderator):
    reconcile(post, SPAM, REVIEWED)
    spam = PostLabel.objects.get(post=post, label="SPAM_HIGH_RECALL")
    with pytest.raises(NotAllowed):
        services.appeal(author=UserFactory(), label=spam, statement="no")
    with pytest.raises(Invalid):
        services.appeal(author=post.author, label=spam, statement="  ")
    status = PostLabel.objects.get(post=post, label="PTOS_REVIEWED")
    with pytest.raises(Invalid):
        services.appeal(author=post.author, label=status, statement="no")
    objection = services.appeal(author=post.author, label=spam, statement="no")
    with pytest.raises(Conflict):
        services.appeal(author=post.author, label=spam, statement="again")
    with pytest.raises(NotAllowed):
        services.decide_appeal(moderator=post.author, appeal=objection, is_upheld=True)
    services.decide_appeal(moderator=moderator, appeal=objection, is_upheld=False)
    with pytest.raises(Conflict):
        services.decide_appeal(moderator=moderator, appeal=objection, is_upheld=True)
    assert "SPAM_HIGH_RECALL" in labels(post)


def test_nobody_decides_about_their_own_label(post, moderator):
    row = services.apply_label(moderator=moderator, post=post, label=Label.SPAM)
    objection = services.appeal(author=post.author, label=row, statement="no")
    with pytest.raises(NotAllowed):
        services.decide_appeal(moderator=moderator, appeal=objection, is_upheld=False)


def test_labels_from_before_there_was_a_door_close_it(post):
    late, fine = PostFactory(), PostFactory()
    ends = clock.now() + timedelta(days=2)
    for each, label, expires_at in ((post, Label.PDNA, None), (late, Label.SPAM, ends), (fine, Label.SOFT_NSFW, None)):
        PostLabel.objects.create(post=each, label=label, source=LabelSource.GROX, expires_at=expires_at)
    PostLabel.objects.create(post=fine, label=Label.PDNA, source=LabelSource.GROX, lifted_at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute(import_module("moderation.migrations.0006_withhold_labelled").WITHHOLD)
    assert visible_ids(None, [post.pk, late.pk, fine.pk]) == {fine.pk}
    late.refresh_from_db()
    assert late.withheld_until == ends


@pytest.mark.django_db(transaction=True)
def test_an_all_clear_given_while_the_post_is_edited_is_doubted_too(post):
    """Who doubts must wait for who is labelling, and see what came of it."""

    def doubt() -> None:
        services.doubt(post.pk)
        connection.close()

    editing = threading.Thread(target=doubt)
    with transaction.atomic():
        reconcile(post, REVIEWED)
        editing.start()
        editing.join(timeout=1)
    editing.join()
    assert labels(post) == set()
