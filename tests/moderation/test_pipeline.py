"""From a post to its labels: event log, dispatcher, Celery, plans, sinks; and what happens when parts fail."""

import time
from datetime import timedelta

import numpy as np
import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from moderation import selectors, services, tasks
from moderation.grox import in_flight, run, sinks
from moderation.grox.classifiers import topics
from moderation.grox.dispatcher import Dispatcher
from moderation.grox.generators import Generator
from moderation.grox.payload import BATCH, Stream
from moderation.models import PostAnnotation, PostFlags, PostLabel
from moderation.types import AnnotationState
from posts import services as posts
from posts.models import Notification, PostEmbedding, PostTopic
from tests.factories import MediaFactory, ModeratorFactory, PostFactory, TopicFactory, UserFactory
from xsocial.celery import app
from xsocial.kernel import clock, metrics, redis
from xsocial.kernel.event_log.relay import relay_batch
from xsocial.kernel.models import OutboxEvent

WORDS = ("garden", "river", "market", "station", "kitchen", "library")
INSULT = "You are a worthless idiot, go to hell"
SPANISH = "Hoy hemos paseado por el mercado de nuestra ciudad y comprado fruta"


def labels(post):
    return selectors.labels_for([post.pk])[post.pk]


def analyze(*made, stream=Stream.REALTIME, **options):
    return run.analyze([post.pk for post in made], stream=stream, **options)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(sinks.Sink, "waits", (0.0,))


@pytest.mark.django_db
def test_a_harmless_post_is_cleared_embedded_and_annotated():
    post = PostFactory(text="A fine morning in the park, the ducks are back", language="")
    (result,) = analyze(post)
    assert result.is_success
    assert labels(post) == {"GROK_SFA", "PTOS_REVIEWED"}
    assert PostEmbedding.objects.get(post=post).model == "minilm_v1"
    post.refresh_from_db()
    assert post.language == "en"
    states = dict(PostAnnotation.objects.filter(post=post).values_list("plan", "state"))
    assert states == {
        "post_embedding_v5": "done",
        "post_safety": "done",
        "safety_ptos": "done",
        "initial_banger": "done",
    }
    assert OutboxEvent.objects.filter(name="posts.post_embedded", payload__post_id=post.pk).count() == 1


@pytest.mark.django_db
def test_a_violation_becomes_flags_and_labels_with_evidence_but_without_the_text():
    post = PostFactory(text=INSULT)
    analyze(post)
    assert labels(post) == {"GROK_NSFA", "FOSNR_ABUSE_INSULTS", "PTOS_REVIEWED"}
    assert PostFlags.objects.get(post=post).is_hateful
    row = PostLabel.objects.get(post=post, label="FOSNR_ABUSE_INSULTS")
    assert row.rule == "policy.HateOrAbuse.InsultsWithTarget"
    assert row.score > 0.9
    assert set(row.evidence) == {"category", "policy", "models", "text"}
    assert "idiot" not in str(row.evidence)


@pytest.mark.django_db
def test_what_cannot_be_judged_says_so_and_is_never_cleared():
    spanish, picture = PostFactory(text=SPANISH), UserFactory()
    with_media = PostFactory(author=picture, text="Look at this!", media=[MediaFactory(owner=picture)])
    analyze(spanish, with_media)
    assert labels(spanish) == {"GROK_NOT_SCORED"}
    assert labels(with_media) == {"GROK_NOT_SCORED", "PTOS_REVIEWED"}
    states = PostAnnotation.objects.filter(plan="safety_ptos").values_list("state", "reason")
    assert set(states) == {("not_scored", "language es"), ("not_scored", "media: not read yet")}


@pytest.mark.django_db
def test_topics_come_from_the_catalogue_and_people_overrule_them():
    gardening, travel, music = (TopicFactory(name=name) for name in ("Gardening", "Travel", "Music"))
    topics.forget()
    post, plain = PostFactory(text="How to grow tomatoes on a balcony garden"), PostFactory(text="lol nice")
    PostTopic.objects.create(post=post, topic=music, is_curated=True)
    PostTopic.objects.create(post=post, topic=travel)
    analyze(post, plain)
    assert set(post.topic_links.values_list("topic", flat=True)) == {gardening.pk, music.pk}
    assert post.topic_links.get(topic=gardening).confidence >= topics.MIN_COSINE
    assert not plain.topic_links.exists()
    topics.forget()


@pytest.mark.django_db
def test_a_batch_takes_as_many_statements_as_a_few_posts():
    def statements(number):
        parent = PostFactory()
        made = [PostFactory(text=f"{INSULT}, {word}") for word in WORDS[:number]]
        made += [PostFactory(text=f"A fine morning in the {word}", in_reply_to=parent) for word in WORDS[:number]]
        made += [PostFactory(text=f"{SPANISH} {word}") for word in WORDS[:number]]
        with CaptureQueriesContext(connection) as captured:
            results = analyze(*made)
        assert len(results) == 3 * number
        assert all(result.is_success for result in results)
        assert {row.label for row in PostLabel.objects.filter(post=made[0])} >= {"FOSNR_ABUSE_INSULTS"}
        assert Notification.objects.filter(post__in=made, kind="moderation_warning").count() == number
        return sum("SAVEPOINT" not in str(row["sql"]) for row in captured)

    TopicFactory(name="Gardening")
    topics.forget()
    statements(1)  # reads what is kept: the catalogue of topics
    few, many = statements(2), statements(len(WORDS))
    assert many == few <= 50
    topics.forget()


@pytest.mark.django_db
def test_a_spam_reply_is_marked_risky():
    parent = PostFactory()
    text = "WIN a FREE phone now!!! Claim your prize at http://x.example"
    spam = PostFactory(in_reply_to=parent, text=text)
    own = PostFactory(in_reply_to=parent, author=parent.author, text=text)
    analyze(spam, own)
    assert "RISKY_HIGH_VIZ_REPLY" in labels(spam)
    assert "RISKY_HIGH_VIZ_REPLY" not in labels(own)


@pytest.mark.django_db
def test_twice_within_the_window_is_once_but_a_redelivery_passes():
    post = PostFactory()
    analyze(post, run_id="message-1")
    (again,) = analyze(post, run_id="message-2")
    assert {plan.state for plan in again.plans} == {AnnotationState.SKIPPED}
    (redelivered,) = analyze(post, run_id="message-1")
    assert AnnotationState.DONE in {plan.state for plan in redelivered.plans}
    assert PostLabel.objects.filter(post=post).count() == 2


@pytest.mark.django_db
def test_an_edit_is_judged_anew_and_flags_stay():
    post = PostFactory(text=INSULT)
    analyze(post)
    posts.edit_post(editor=post.author, post=post, text="A fine morning in the park")
    analyze(post, stream=Stream.EDITED)
    assert labels(post) == {"GROK_NSFA", "PTOS_REVIEWED"}
    assert PostFlags.objects.get(post=post).is_hateful


@pytest.mark.django_db
def test_an_upheld_appeal_stands_against_the_same_wording():
    post, moderator = PostFactory(text=INSULT), ModeratorFactory()
    analyze(post)
    row = PostLabel.objects.get(post=post, label="FOSNR_ABUSE_INSULTS")
    objection = services.appeal(author=post.author, label=row, statement="A line from our play.")
    services.decide_appeal(moderator=moderator, appeal=objection, is_upheld=True)
    analyze(post, stream=Stream.EDITED)
    assert labels(post) == {"GROK_SFA", "PTOS_REVIEWED"}
    posts.edit_post(editor=post.author, post=post, text=INSULT + ", and take your idiot friends along")
    analyze(post, stream=Stream.EDITED)
    assert "FOSNR_ABUSE_INSULTS" in labels(post)


@pytest.mark.django_db
def test_a_failing_plan_spares_the_others_and_is_tried_again(monkeypatch):
    def fail(*_):
        raise RuntimeError("store is away")

    post, sent = PostFactory(), []
    monkeypatch.setattr(sinks.WriteSafety, "run", fail)
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda *args, **options: sent.append((args, options)))
    assert tasks.analyze_posts([post.pk]) == 0
    assert sent == [(([[post.pk]], {"stream": "realtime", "attempt": 1}), {"countdown": 2.0})]
    assert "PTOS_REVIEWED" in labels(post)
    failed = PostAnnotation.objects.get(post=post, state="failed")
    assert (failed.plan, failed.attempt) == ("post_safety", 0)
    assert "store is away" in failed.reason
    tasks.analyze_posts([post.pk], attempt=2)
    assert len(sent) == 1
    assert PostAnnotation.objects.filter(post=post, state="failed", attempt=2).count() == 1


@pytest.mark.django_db
def test_reposts_deleted_and_missing_posts_are_left_out():
    post = PostFactory()
    again = posts.repost(user=UserFactory(), post=post)
    posts.delete_post(actor=post.author, post=post)
    assert analyze(post, again) == []
    assert run.analyze([12345], stream=Stream.TEST) == []


@pytest.mark.django_db
def test_expired_payloads_are_dropped():
    post = PostFactory()
    assert analyze(post, deadline=1.0) == []
    assert labels(post) == set()


@pytest.mark.django_db
def test_the_sweep_finds_what_was_lost(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda args, kwargs, **_: sent.append((args, kwargs)))
    with clock.fixed(clock.now() - timedelta(minutes=5)):
        lost, done = PostFactory(), PostFactory()
        analyze(done)
    PostFactory()  # too young to be missed
    assert tasks.recover() == 1
    assert sent == [([[lost.pk]], {"stream": "recovery"})]


@pytest.mark.django_db
def test_the_sweep_finds_edits_that_were_lost():
    written, edited = clock.now() - timedelta(days=30), clock.now() - timedelta(minutes=5)
    with clock.fixed(written):
        lost, judged, young = (PostFactory() for _ in range(3))
        for post in (lost, judged, young):
            analyze(post)
    for post, moment in ((lost, edited), (judged, edited), (young, clock.now())):
        with clock.fixed(moment):
            posts.edit_post(editor=post.author, post=post, text="You are a worthless idiot")
    analyze(judged, stream=Stream.EDITED)
    assert list(tasks.unanalyzed()) == [lost.pk]


@pytest.mark.django_db
def test_an_edited_post_has_no_all_clear_until_somebody_has_looked():
    post, limited = PostFactory(text="A fine morning"), PostFactory(text="You are a worthless idiot, go to hell")
    for each in (post, limited):
        analyze(each)
    assert labels(post) == {"GROK_SFA", "PTOS_REVIEWED"}
    before = labels(limited)
    for each in (post, limited):
        posts.edit_post(editor=each.author, post=each, text="An even finer evening")
    assert labels(post) == set()
    assert labels(limited) == before - {"PTOS_REVIEWED"}
    for each in (post, limited):
        analyze(each, stream=Stream.EDITED)
        assert "PTOS_REVIEWED" in labels(each)
    assert "GROK_SFA" in labels(post)


@pytest.mark.django_db
def test_an_edit_leaves_the_all_clear_of_an_upheld_appeal():
    post, moderator = PostFactory(text="You are a worthless idiot, go to hell"), ModeratorFactory()
    analyze(post)
    row = PostLabel.objects.get(post=post, label="FOSNR_ABUSE_INSULTS")
    appeal = services.appeal(author=post.author, label=row, statement="A line of a play.")
    services.decide_appeal(moderator=moderator, appeal=appeal, is_upheld=True)
    posts.edit_post(editor=post.author, post=post, spoiler_text="from a play")
    assert {"GROK_SFA", "PTOS_REVIEWED"} <= labels(post)


@pytest.mark.django_db
def test_the_dispatcher_batches_new_and_edited_posts(monkeypatch):
    sent = []
    monkeypatch.setattr(
        tasks.analyze_posts, "apply_async", lambda args, kwargs, **_: sent.append((*args, *kwargs.values()))
    )
    made = [PostFactory() for _ in range(2)]
    posts.repost(user=UserFactory(), post=made[0])
    posts.edit_post(editor=made[1].author, post=made[1], text="better")
    relay_batch()
    assert Dispatcher("test").step() == 3
    assert sorted(sent, key=lambda row: row[1]) == [([made[1].pk], "edited"), ([post.pk for post in made], "realtime")]
    assert BATCH >= 2


@pytest.mark.django_db
def test_no_more_is_in_flight_than_allowed_and_nothing_is_lost_by_waiting(settings, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda args, kwargs, task_id: sent.append(task_id))
    settings.GROX_MAX_IN_FLIGHT = 2
    redis.client("broker").delete(in_flight.KEY)
    dispatcher = Dispatcher("test", [Generator(Stream.REALTIME)])
    for number in range(5 * BATCH):
        dispatcher.waiting.put(Stream.REALTIME, number)
    assert (dispatcher.flush(), dispatcher.flush()) == (2 * BATCH, 0)
    in_flight.end(sent[0])
    assert dispatcher.flush() == BATCH
    settings.GROX_MAX_IN_FLIGHT = 100
    dispatcher.drain()
    assert len(sent) == 5
    assert len(dispatcher.waiting) == 0
    with clock.fixed(clock.now() + timedelta(minutes=11)):
        assert in_flight.count() == 0


@pytest.mark.django_db
def test_posts_stay_in_hand_while_the_broker_is_away(monkeypatch):
    def fail(*_, **__):
        raise redis.RedisError("away")

    dispatcher = Dispatcher("test", [Generator(Stream.REALTIME)])
    dispatcher.waiting.put(Stream.REALTIME, 1)
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", fail)
    with pytest.raises(redis.RedisError):
        dispatcher.flush()
    assert len(dispatcher.waiting) == 1


@pytest.mark.django_db
def test_a_post_that_many_like_is_looked_at_again(settings, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda args, kwargs, task_id: sent.append(kwargs["stream"]))
    settings.GROX_POPULAR_LIKES = 2
    post = PostFactory()
    for _ in range(3):
        posts.favorite(user=UserFactory(), post=post)
    relay_batch()
    dispatcher = Dispatcher("test")
    dispatcher.step()
    assert sorted(sent) == ["post_safety", "realtime"]


@pytest.mark.django_db
def test_a_message_done_twice_is_written_once():
    post = PostFactory()
    for _ in range(2):
        analyze(post, run_id="message-1")
    rows = PostAnnotation.objects.filter(post=post).values_list("plan", flat=True)
    assert len(rows) == len(set(rows)) >= 3


@pytest.mark.django_db
def test_the_closer_look_and_the_usual_one_do_not_block_each_other():
    post = PostFactory()
    analyze(post, run_id="a", stream=Stream.SAFETY_PTOS_RECOVERY)
    [again] = analyze(post, run_id="b", stream=Stream.SAFETY_PTOS_DELUXE)
    assert [plan.state for plan in again.plans] == [AnnotationState.DONE]


@pytest.mark.django_db
def test_a_rolled_back_post_is_never_dispatched(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda *args, **_: sent.append(args))
    with transaction.atomic():
        PostFactory()
        transaction.set_rollback(True)
    relay_batch()
    assert Dispatcher("test").step() == 0
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_post_to_label_through_a_real_worker():
    app.loader.import_default_modules()
    dispatcher = Dispatcher("test")
    # as the test settings ask for: one solo worker in a thread, on the real broker
    with start_worker(app, perform_ping_check=False, pool="solo", queues=["grox.realtime"], shutdown_timeout=30):
        post = PostFactory(text=INSULT)
        relay_batch()
        assert dispatcher.step() == 1
        deadline = time.monotonic() + 30
        while "PTOS_REVIEWED" not in labels(post) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert labels(post) == {"GROK_NSFA", "FOSNR_ABUSE_INSULTS", "PTOS_REVIEWED"}
    tasks_done = metrics.counter("grox_tasks", "Task runs", ("plan", "task", "outcome"))
    assert tasks_done.labels("safety_ptos", "WritePolicy", "success")._value.get() >= 1


@pytest.mark.django_db
def test_bulk_screening_equals_the_plans_and_may_be_repeated():
    texts = [INSULT, "A fine morning in the park", SPANISH, "😀", "A fine morning in the park"]
    made = [PostFactory(text=text) for text in texts]
    ids = [post.pk for post in made]
    outcome = services.bulk_screen(ids, texts, unscored_media_ids={made[4].pk})
    assert outcome.vectors.shape == (5, 384)
    assert outcome.languages == ["en", "en", "es", "und", "en"]
    found = [labels(post) for post in made]
    assert found == [
        {"GROK_NSFA", "FOSNR_ABUSE_INSULTS", "PTOS_REVIEWED"},
        {"GROK_SFA", "PTOS_REVIEWED"},
        {"GROK_NOT_SCORED"},
        {"GROK_NOT_SCORED"},
        {"GROK_NOT_SCORED", "PTOS_REVIEWED"},
    ]
    services.bulk_screen(ids, texts)
    assert [labels(post) for post in made] == found
    assert PostEmbedding.objects.filter(post__in=ids).count() == 5
    single = PostFactory(text=INSULT)
    analyze(single)
    assert labels(single) == found[0]


@pytest.mark.django_db
def test_bulk_screening_in_chunks_keeps_the_order_and_tells_of_progress(monkeypatch):
    texts = [SPANISH, INSULT, "A fine morning in the park", INSULT, "😀"]
    ids = [PostFactory(text=text).pk for text in texts]
    monkeypatch.setattr("moderation.services.screening.CHUNK", 2)
    told = []
    outcome = services.bulk_screen(ids, texts, progress=told.append)
    assert told == [2, 2, 1]
    assert outcome.languages == ["es", "en", "en", "en", "und"]
    # the quantised embedder rounds a little differently beside other texts
    assert np.all((outcome.vectors * services.embed_texts(texts)).sum(axis=1) > 0.99)
    assert PostAnnotation.objects.filter(post__in=ids).count() == 5


@pytest.mark.django_db
def test_bulk_screening_of_nothing():
    assert services.bulk_screen([], []).vectors.shape == (0, 384)
    assert services.embed_texts(["hello there"]).shape == (1, 384)
