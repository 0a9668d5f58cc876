"""Which sinks write in which deployment."""

import pytest

from moderation.grox import run
from moderation.grox.classifiers import topics as catalogue
from moderation.grox.disable_rules import Deployment
from moderation.grox.payload import Stream
from moderation.grox.plans import all_plans
from moderation.grox.sinks import Sink
from moderation.models import PostAnnotation, PostLabel
from posts.models import PostEmbedding, PostTopic
from tests.factories import PostFactory, TopicFactory
from xsocial.kernel import metrics


def test_every_sink_has_a_rule_and_no_other_step_has():
    for plan in all_plans():
        for task in plan.tasks.values():
            assert bool(task.disabled_by) == isinstance(task, Sink), task.name


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deployment", "vectors", "policy_labels", "suitability", "topics", "annotations"),
    [
        (Deployment.ALL, 1, 1, 1, 1, True),
        (Deployment.PROD, 0, 0, 1, 1, True),
        (Deployment.EMBEDDING_PROD, 1, 0, 0, 0, True),
        (Deployment.PTOS_PROD, 0, 1, 1, 0, True),
        (Deployment.LOCAL, 0, 0, 0, 0, False),
        (Deployment.DEV, 0, 0, 0, 0, False),
    ],
)
def test_what_is_written_where(settings, deployment, vectors, policy_labels, suitability, topics, annotations):
    TopicFactory(name="Gardening")
    catalogue.forget()
    settings.GROX_DEPLOYMENT = deployment
    post = PostFactory(text="How to grow tomatoes on a balcony garden")
    [result] = run.analyze([post.pk], stream=Stream.REALTIME)
    catalogue.forget()
    assert result.is_success
    assert PostEmbedding.objects.filter(post=post).count() == vectors
    assert PostLabel.objects.filter(post=post, label="PTOS_REVIEWED").count() == policy_labels
    assert PostLabel.objects.filter(post=post, label="GROK_SFA").count() == suitability
    assert PostTopic.objects.filter(post=post).count() == topics
    assert PostAnnotation.objects.filter(post=post).exists() is annotations


@pytest.mark.django_db
def test_a_disabled_step_was_asked_but_not_taken_in(settings):
    settings.GROX_DEPLOYMENT = Deployment.DEV
    count = metrics.counter("grox_tasks", "Task runs", ("plan", "task", "outcome"))

    def seen():
        outcomes = ("exec", "intaken", "skipped")
        return [count.labels("safety_ptos", "WritePolicy", outcome)._value.get() for outcome in outcomes]

    before = seen()
    run.analyze([PostFactory().pk], stream=Stream.SAFETY_PTOS_RECOVERY)
    assert [after - was for after, was in zip(seen(), before, strict=True)] == [1, 0, 1]
