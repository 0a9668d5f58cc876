"""Topic pages and snoozed topics, from request to page."""

import pytest

from feed import services
from feed.types import FeedRequest
from posts.models import PostTopic
from tests.factories import PostFactory, TopicFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sports(models):
    return TopicFactory(name="Sports")


def about(topic, post, confidence=0.9):
    PostTopic.objects.create(post=post, topic=topic, confidence=confidence)
    return post


def ids(viewer, **request):
    page = services.for_you(viewer, request=FeedRequest(is_preview=True, **request))
    return {item.post_id for item in page.items if item.kind == "post"}


def test_a_topic_page_holds_the_topic_and_what_is_below_it(viewer, friend, sports):
    football = TopicFactory(name="Football", parent=sports)
    direct = about(sports, PostFactory(author=friend))
    below = about(football, PostFactory(author=friend))
    about(sports, PostFactory(author=friend), confidence=0.2)
    PostFactory(author=friend)
    assert ids(viewer, topic_ids=(sports.pk,)) == {direct.pk, below.pk}


def test_a_topic_page_asks_retrieval_for_the_topic(viewer, friend, sports, models, settings, monkeypatch):
    settings.GROX_HOLD_UNSCREENED = False
    asked = []
    retrieve = models.retrieve
    monkeypatch.setattr("ranking.services.retrieve", lambda **q: asked.append(tuple(q["topic_ids"])) or retrieve(**q))
    found = about(sports, PostFactory())
    models.found = [found.pk]
    assert ids(viewer, topic_ids=(sports.pk,)) == {found.pk}
    assert asked == [(sports.pk,)]


def test_snoozed_topics_are_left_out(viewer, friend, sports):
    music = TopicFactory(name="Music")
    about(sports, PostFactory(author=friend))
    kept = about(music, PostFactory(author=friend))
    assert ids(viewer, excluded_topic_ids=(sports.pk,)) == {kept.pk}
