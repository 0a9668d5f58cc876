"""Reading: facts gathered in a fixed number of queries, verdicts for real people and posts."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import Block, CreatorSubscription, FeedPreferences
from moderation import selectors, services
from moderation.services import NewLabel
from moderation.types import Label
from moderation.visibility import Action, Reason, SafetyLevel
from posts import services as posts
from tests.factories import FollowFactory, PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db

HOME = SafetyLevel.TIMELINE_HOME
RECOMMENDED = SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS


def put(post, *labels):
    services.reconcile_labels({post.pk: [NewLabel(label, "policy.x") for label in labels]}, rules="policy.")


def reason(post, viewer, level=HOME):
    return selectors.visibility([post.pk], level=level, viewer=viewer)[post.pk].reason


def test_labels_for_answers_for_every_post_asked():
    post = PostFactory()
    put(post, Label.PTOS_REVIEWED)
    assert selectors.labels_for([post.pk, 5]) == {post.pk: {"PTOS_REVIEWED"}, 5: set()}
    assert selectors.screened([post.pk, 5]) == {post.pk}
    assert selectors.labels_for([]) == {}


def test_relations():
    viewer, post = UserFactory(), PostFactory()
    assert reason(post, viewer) is Reason.NONE
    assert reason(post, AnonymousUser()) is Reason.NONE
    Block.objects.create(blocker=post.author, blocked=viewer)
    assert reason(post, viewer) is Reason.AUTHOR_BLOCKS_VIEWER


def test_closed_posts():
    follower, stranger, named = UserFactory(), UserFactory(), UserFactory(username="named")
    author = UserFactory()
    FollowFactory(follower=follower, followee=author)
    private = PostFactory(author=author, visibility="private", text="hello @named")
    direct = PostFactory(author=author, visibility="direct", text="hello @named")
    assert [reason(private, who) for who in (follower, stranger, named)] == [
        Reason.NONE,
        Reason.PROTECTED,
        Reason.NONE,
    ]
    assert [reason(direct, who) for who in (follower, stranger, named)] == [
        Reason.NOT_ADDRESSED,
        Reason.NOT_ADDRESSED,
        Reason.NONE,
    ]


def test_subscribers():
    subscriber, post = UserFactory(), PostFactory(author=UserFactory(offers_subscriptions=True), subscribers_only=True)
    assert reason(post, subscriber) is Reason.SUBSCRIBERS_ONLY
    CreatorSubscription.objects.create(subscriber=subscriber, author=post.author)
    assert reason(post, subscriber) is Reason.NONE


def test_states_of_authors_and_posts():
    viewer, post = UserFactory(), PostFactory()
    post.author.suspended_at = clock.now()
    post.author.save()
    assert reason(post, viewer) is Reason.AUTHOR_SUSPENDED
    gone = PostFactory()
    posts.delete_post(actor=gone.author, post=gone)
    assert reason(gone, viewer) is Reason.DELETED
    assert selectors.visibility([12345], level=HOME, viewer=viewer) == {}
    assert selectors.visibility([], level=HOME, viewer=viewer) == {}


def test_preferences_decide_about_sensitive_and_unscreened(settings):
    viewer, post = UserFactory(), PostFactory()
    settings.GROX_HOLD_UNSCREENED = True
    assert reason(post, viewer, RECOMMENDED) is Reason.UNSCREENED
    settings.GROX_HOLD_UNSCREENED = False
    assert reason(post, viewer, RECOMMENDED) is Reason.NONE
    put(post, Label.NSFW_HIGH_PRECISION)
    assert reason(post, viewer) is Reason.SAFETY_ADULT
    FeedPreferences.objects.update_or_create(user=viewer, defaults={"shows_sensitive": True})
    viewer = type(viewer).objects.get(pk=viewer.pk)
    assert reason(post, viewer) is Reason.NONE
    viewer.birth_year = clock.now().year - 16
    assert reason(post, viewer) is Reason.SAFETY_ADULT


def test_a_repost_is_judged_by_its_original(settings):
    settings.GROX_HOLD_UNSCREENED = True
    original, viewer = PostFactory(), UserFactory()
    again = posts.repost(user=UserFactory(), post=original)
    put(original, Label.PTOS_REVIEWED)
    assert reason(again, viewer, RECOMMENDED) is Reason.NONE
    put(original, Label.PTOS_REVIEWED, Label.SPAM_HIGH_RECALL)
    assert reason(again, viewer, RECOMMENDED) is Reason.SAFETY_SPAM
    assert reason(again, viewer) is Reason.NONE


def test_many_posts_cost_as_many_queries_as_one(django_assert_max_num_queries):
    viewer = UserFactory()
    ids = [PostFactory().pk for _ in range(4)]
    with django_assert_max_num_queries(7):
        verdicts = selectors.visibility(ids, level=HOME, viewer=viewer)
    assert {verdict.action for verdict in verdicts.values()} == {Action.ALLOW}
