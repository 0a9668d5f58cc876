"""Mutes, muted words, topics, subscriptions and preferences."""

from datetime import timedelta

import pytest

from accounts import selectors, services
from accounts.models import CreatorSubscription, FollowedTopic, Mute, MutedKeyword
from tests.factories import TopicFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


def test_a_mute_can_end_and_be_replaced():
    ann, bob = UserFactory(), UserFactory()
    tomorrow = clock.now() + timedelta(days=1)
    services.mute(muter=ann, muted=bob, expires_at=tomorrow)
    assert selectors.relationship(ann, bob).is_muting
    with clock.fixed(tomorrow + timedelta(seconds=1)):
        assert not selectors.relationship(ann, bob).is_muting
        assert selectors.mutes(ann) == []
        assert services.delete_expired_mutes() == 1
    services.mute(muter=ann, muted=bob)
    services.mute(muter=ann, muted=bob, hides_notifications=False)
    assert Mute.objects.get().hides_notifications is False
    services.unmute(muter=ann, muted=bob)
    services.unmute(muter=ann, muted=bob)
    assert not Mute.objects.exists()


def test_an_end_in_the_past_is_refused():
    ann, bob = UserFactory(), UserFactory()
    past = clock.now() - timedelta(minutes=1)
    for attempt in (
        lambda: services.mute(muter=ann, muted=bob, expires_at=past),
        lambda: services.add_muted_keyword(user=ann, phrase="rain", expires_at=past),
        lambda: services.subscribe(subscriber=ann, author=bob, expires_at=past),
    ):
        with pytest.raises(Invalid):
            attempt()


def test_muted_words_are_normalised_and_belong_to_their_owner():
    ann, bob = UserFactory(), UserFactory()
    word = services.add_muted_keyword(user=ann, phrase="  Rainy\tDAYS ")
    assert word.phrase == "rainy days"
    assert services.add_muted_keyword(user=ann, phrase="rainy days").pk == word.pk
    with pytest.raises(NotFound):
        services.remove_muted_keyword(user=bob, keyword_id=word.pk)
    services.remove_muted_keyword(user=ann, keyword_id=word.pk)
    assert not MutedKeyword.objects.exists()
    for phrase in ("", " \x00 ", "x" * 101):
        with pytest.raises(Invalid):
            services.add_muted_keyword(user=ann, phrase=phrase)


def test_a_topic_is_followed_or_snoozed_or_neither():
    ann, topic = UserFactory(), TopicFactory()
    services.follow_topic(user=ann, topic=topic)
    services.snooze_topic(user=ann, topic=topic)
    assert FollowedTopic.objects.get().is_snoozed
    services.unfollow_topic(user=ann, topic=topic)
    assert not FollowedTopic.objects.exists()
    with pytest.raises(NotFound):
        selectors.get_topic("no-such-topic")


def test_subscribing_again_extends():
    ann, bob = UserFactory(), UserFactory(offers_subscriptions=True)
    later = clock.now() + timedelta(days=30)
    services.subscribe(subscriber=ann, author=bob)
    services.subscribe(subscriber=ann, author=bob, expires_at=later)
    assert CreatorSubscription.objects.get().expires_at == later
    services.unsubscribe(subscriber=ann, author=bob)
    assert not selectors.relationship(ann, bob).is_subscribed


def test_only_those_who_offer_it_can_be_subscribed_to():
    ann, bob = UserFactory(), UserFactory()
    with pytest.raises(NotAllowed):
        services.subscribe(subscriber=ann, author=bob)
    services.update_profile(user=bob, offers_subscriptions=True)
    services.block(blocker=bob, blocked=ann)
    with pytest.raises(NotAllowed):
        services.subscribe(subscriber=ann, author=bob)
    assert not CreatorSubscription.objects.exists()


def test_preferences_change_one_by_one():
    ann = UserFactory()
    assert selectors.preferences(ann).allows_recommendations
    services.set_preferences(user=ann, shows_sensitive=True, languages=["en", "pt-BR"])
    services.set_preferences(user=ann, hides_videos=True)
    stored = selectors.preferences(ann)
    assert (stored.shows_sensitive, stored.hides_videos, stored.languages) == (True, True, ["en", "pt-BR"])


@pytest.mark.parametrize(
    "changes", [{"user_id": 1}, {"languages": "en"}, {"languages": [1]}, {"hides_videos": "maybe"}]
)
def test_bad_preferences_are_refused(changes):
    with pytest.raises(Invalid):
        services.set_preferences(user=UserFactory(), **changes)


def test_a_muted_word_cannot_turn_the_words_beside_it_around():
    keyword = services.add_muted_keyword(user=UserFactory(), phrase=" \u202eGNP\x00  cafe\u0301 ")
    assert keyword.phrase == "gnp caf\u00e9"
