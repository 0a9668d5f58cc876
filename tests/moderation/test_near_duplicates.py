"""Finding campaigns: nearly the same words from many accounts within an hour."""

from datetime import timedelta

import pytest

from moderation import selectors
from moderation.grox import near_duplicates, run
from moderation.grox.near_duplicates import distance, observe, simhash
from moderation.grox.payload import Stream
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock, redis

TEXT = "everybody should look at the new bakery on the corner because their bread is the best in town by far"


def test_a_changed_word_changes_few_bits_and_another_text_many():
    assert distance(simhash(TEXT), simhash(TEXT.replace("corner", "square"))) < 24
    assert distance(simhash(TEXT), simhash("the match was cancelled after an hour of rain and nobody told us why")) > 20
    assert simhash("good morning to you") is None


def test_other_accounts_count_once_each_and_oneself_never():
    for number in range(6):
        observe(number, author_id=number % 3, text=TEXT)
    seen = observe(99, author_id=0, text=TEXT)
    assert (seen.num_accounts, seen.num_posts) == (2, 4)
    assert observe(99, author_id=0, text=TEXT) == seen


def test_a_campaign_is_four_accounts_within_the_window():
    found = [observe(number, author_id=number, text=TEXT).is_campaign for number in range(5)]
    assert found == [False, False, False, True, True]
    with clock.fixed(clock.now() + timedelta(hours=2)):
        assert not observe(10, author_id=10, text=TEXT).is_campaign


def test_different_texts_do_not_meet():
    for number, weather in enumerate(("rain", "sun", "wind", "snow", "fog")):
        text = f"today number {number} was full of {weather} and walks by the river {number}"
        assert observe(number, author_id=number, text=text).num_accounts == 0


def test_without_the_store_nobody_is_suspected(monkeypatch):
    def fail(*_):
        raise redis.RedisError("away")

    monkeypatch.setattr(near_duplicates, "_remember", fail)
    assert observe(1, 1, TEXT).num_accounts == 0


@pytest.mark.django_db
def test_the_spam_plan_marks_the_replies_of_a_campaign():
    parent = PostFactory()
    replies = [PostFactory(in_reply_to=parent, author=UserFactory(), text=TEXT) for _ in range(4)]
    for reply in replies:
        run.analyze([reply.pk], stream=Stream.POST_STREAM)
    labels = selectors.labels_for([reply.pk for reply in replies])
    assert ["RISKY_HIGH_VIZ_REPLY" in labels[reply.pk] for reply in replies] == [False, False, False, True]
