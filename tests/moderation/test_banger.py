"""The quality screen: what it says, under which names, and what is kept."""

import pytest

from moderation.grox import run
from moderation.grox.classifiers import topics
from moderation.grox.classifiers.schemas import BoolMetadata, QualityResult
from moderation.grox.payload import Stream
from moderation.models import PostAnnotation, PostFlags
from tests.factories import PostFactory, TopicFactory

PUBLISHED_FLAGS = {"is_high_quality", "is_nsfw", "is_gore", "is_violent", "is_spam", "is_soft_nsfw", "is_adult"}
LONG = (
    "How to grow tomatoes on a small balcony garden: sow indoors in early spring, give them the sunniest corner, "
    "water deeply in the evening, and pinch out the side shoots every week #garden #Tomatoes"
)


@pytest.mark.parametrize(("score", "is_banger"), [(0.4, True), (0.3999, False), (1.0, True), (0.0, False)])
def test_a_banger_begins_at_exactly_four_tenths(score, is_banger):
    assert QualityResult(quality_score=score).is_banger is is_banger


def test_the_seven_published_flags_exist():
    assert set(BoolMetadata.model_fields) >= PUBLISHED_FLAGS
    assert set(PostFlags.NAMES) >= PUBLISHED_FLAGS


@pytest.mark.django_db
def test_a_good_post_is_published_under_two_names_with_all_that_was_found():
    parent = TopicFactory(name="Home")
    gardening = TopicFactory(name="Gardening", parent=parent)
    topics.forget()
    post = PostFactory(text=LONG)
    run.analyze([post.pk], stream=Stream.TEST)
    topics.forget()
    result = PostAnnotation.objects.get(post=post, plan="initial_banger").result
    first, second = result["content_analysis"]["found"]
    assert (first["category"], second["category"]) == ("BANGER_INITIAL_SCREEN", "GROK_RANKER")
    assert {**first, "category": ""} == {**second, "category": ""}
    assert first["positive"] is True
    assert first["score"] == result["quality"]["quality_score"] >= 0.4
    [entity] = [entity for entity in first["entities"] if entity["id"] == gardening.pk]
    assert (entity["domain"], entity["category"]) == (236, parent.pk)
    quality = result["quality"]
    assert quality["tags"] == ["garden", "tomatoes"]
    assert quality["description"].startswith("How to grow tomatoes")
    assert (quality["slop_score"], quality["has_minor_score"], quality["is_image_editable"]) == (1, 0, False)
    assert quality["flags"]["is_high_quality"] is True
    assert PostFlags.objects.get(post=post).is_high_quality


@pytest.mark.django_db
def test_flags_of_the_same_look_are_kept_and_a_poor_post_is_no_banger():
    post = PostFactory(text="You are a worthless idiot, go to hell")
    run.analyze([post.pk], stream=Stream.TEST)
    flags = PostFlags.objects.get(post=post)
    assert (flags.is_hateful, flags.is_high_quality) == (True, False)
    [first, _] = PostAnnotation.objects.get(post=post).result["content_analysis"]["found"]
    assert first["positive"] is False


def test_topics_outside_the_catalogue_are_dropped(monkeypatch):
    known = topics.Catalogue((1, 2), ("a", "b"), {1: 1, 2: 1}, vectors=None, read_at=0)
    monkeypatch.setattr(topics, "catalogue", lambda: known)
    assert [(e.id, e.category) for e in topics.entities_of({2: 0.5, 7: 0.9})] == [(2, 1)]
