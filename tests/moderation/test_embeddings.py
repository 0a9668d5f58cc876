"""Stored vectors: size and length, summaries, replies in context, versions that never mix."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from moderation import services
from moderation.grox import run, sinks
from moderation.grox.embedders import minilm, summaries
from moderation.grox.embedders.vectors import TOLERANCE, fitted
from moderation.grox.payload import Stream
from moderation.grox.text import normalise
from moderation.models import PostSummary
from posts.models import EmbeddingVersion, PostEmbedding
from posts.selectors import similar
from posts.selectors.embeddings import kept_versions, served_version
from ranking.content import ContentCache
from tests.factories import PostFactory, UserFactory
from xsocial.kernel.models import OutboxEvent

BREAD = "Sourdough bread needs flour, water, salt and a lot of patience"
LONG = " ".join(
    ["The bakery on the corner sells sourdough bread every morning."]
    + [f"Sentence number {number} speaks of bread and of baking." for number in range(20)]
    + ["Meanwhile the trains were late again."]
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(sinks.Sink, "waits", (0.0,))


def vector_of(post, version=minilm.VERSION):
    return np.array(PostEmbedding.objects.get(post=post, model=version).vector)


def announced(post):
    rows = OutboxEvent.objects.filter(name="posts.post_embedded", payload__post_id=post.pk)
    return list(rows.order_by("id").values_list("payload__model", flat=True))


def embed(text):
    return minilm.embed([normalise(text)])[0]


def test_vectors_are_cut_to_size_and_brought_to_length_one():
    long = np.arange(1, 1025, dtype=np.float32)
    short = fitted(long, 384)
    assert short.shape == (384,)
    assert abs(np.linalg.norm(short) - 1) < TOLERANCE
    assert np.allclose(short, long[:384] / np.linalg.norm(long[:384]))
    for bad in (np.ones(383), np.zeros(384), np.full(384, np.nan), np.ones((2, 384))):
        with pytest.raises(ValueError, match="an embedding of"):
            fitted(bad.astype(np.float32), 384)


def test_long_texts_are_summed_up_in_their_own_sentences():
    assert summaries.extract(BREAD) == BREAD
    summary = summaries.extract(LONG)
    assert len(summary) <= summaries.KEPT
    assert "bread" in summary
    assert "trains" not in summary
    assert all(part.strip(". ") in LONG for part in summary.split(". "))
    assert summaries.extract("x" * 900) == "x" * summaries.KEPT
    assert summaries.extract(("y" * 700 + ". ") * 2) == "y" * summaries.KEPT


@pytest.mark.django_db
def test_a_post_without_words_gets_no_vector():
    post = PostFactory(text="...")
    run.analyze([post.pk], stream=Stream.EMBEDDING_V5)
    empty = PostFactory(text="\u200b!")
    run.analyze([empty.pk], stream=Stream.EMBEDDING_REQUEST)
    assert not PostEmbedding.objects.filter(post=empty).exclude(model=minilm.VERSION).filter(vector=None).exists()
    assert abs(np.linalg.norm(vector_of(post)) - 1) < 1e-4


@pytest.mark.django_db
def test_replies_are_stored_by_the_main_plan_and_announced_by_their_own():
    root = PostFactory(text=BREAD)
    reply = PostFactory(in_reply_to=root, text="I agree with you")
    run.analyze([root.pk, reply.pk], stream=Stream.EMBEDDING_V5)
    assert announced(root) == [minilm.VERSION]
    assert announced(reply) == []
    assert np.dot(vector_of(reply), embed("I agree with you")) > 0.999
    run.analyze([root.pk, reply.pk], stream=Stream.EMBEDDING_V5_REPLY)
    assert announced(root) == announced(reply) == [minilm.VERSION]


@pytest.mark.django_db
def test_a_summary_is_stored_and_embedded_and_a_reply_with_what_it_answers():
    root, reply = PostFactory(text=BREAD), None
    reply = PostFactory(in_reply_to=root, text="I agree with you")
    for stream in (Stream.EMBEDDING_REQUEST, Stream.EMBEDDING_REQUEST_REPLY_RECOVERY):
        run.analyze([root.pk, reply.pk], stream=stream)
    row = PostSummary.objects.get(post=root)
    assert (row.version, row.text) == (summaries.VERSION, BREAD)
    assert np.dot(vector_of(root, summaries.EMBEDDING), embed(BREAD)) > 0.999
    in_context = vector_of(reply, summaries.EMBEDDING)
    assert np.dot(in_context, embed(BREAD)) > np.dot(embed("I agree with you"), embed(BREAD)) + 0.2
    assert announced(reply) == [summaries.EMBEDDING]


@pytest.mark.django_db
def test_protected_authors_are_not_embedded_by_summary():
    hidden = PostFactory(author=UserFactory(is_locked=True))
    run.analyze([hidden.pk], stream=Stream.EMBEDDING_REQUEST)
    call_command("grox_reembed", version=summaries.EMBEDDING)
    assert not PostEmbedding.objects.filter(post=hidden, model=summaries.EMBEDDING).exists()


@pytest.mark.django_db
def test_another_version_is_made_beside_the_one_in_force_and_then_changed_over(capsys):
    first, second = PostFactory(text=BREAD), PostFactory(text="Bread with salt and patience")
    run.analyze([first.pk, second.pk], stream=Stream.EMBEDDING_V5)
    cache = ContentCache()
    numbers = np.array([first.pk, second.pk])
    before = cache.get(numbers)
    assert served_version() == minilm.VERSION

    call_command("grox_reembed", name=summaries.EMBEDDING, batch=1, keep=True)
    assert "2 vectors of minilm_summary_v1 written; minilm_v1 is in force" in capsys.readouterr().out
    PostEmbedding.objects.filter(post=second, model=summaries.EMBEDDING).update(vector=[0.0] * 383 + [1.0])
    assert np.array_equal(ContentCache().get(numbers), before)

    third = PostFactory(text="Salt in bread is a matter of taste")
    run.analyze([third.pk], stream=Stream.REALTIME)
    assert set(PostEmbedding.objects.filter(post=third).values_list("model", flat=True)) == kept_versions()

    call_command("grox_reembed", name=summaries.EMBEDDING)
    assert "0 vectors of minilm_summary_v1 written; minilm_summary_v1 is in force" in capsys.readouterr().out
    after = cache.get(np.append(numbers, third.pk))
    assert after[1][-1] == 1.0  # one already in memory is read anew with the rest
    call_command("grox_reembed")
    assert served_version() == minilm.VERSION


@pytest.mark.django_db
def test_a_run_that_was_stopped_goes_on_where_it_was():
    for _ in range(3):
        PostFactory(text=BREAD)
    services.begin_version(minilm.VERSION)
    work = services.embed_missing(minilm.VERSION, batch=1)
    assert next(work) == (1, 1)
    work.close()
    assert services.without_vector(minilm.VERSION).count() == 2
    assert list(services.embed_missing(minilm.VERSION, batch=10)) == [(2, 2)]
    assert EmbeddingVersion.objects.get().served_at is None


@pytest.mark.django_db
def test_a_version_is_made_without_reading_how_posts_speak(monkeypatch):
    monkeypatch.setattr(minilm.MiniLM, "reading", None)
    post = PostFactory(text=BREAD)
    services.begin_version(summaries.EMBEDDING)
    for version in kept_versions():
        assert list(services.embed_missing(version, batch=10)) == [(1, 1)]
    [one, other] = PostEmbedding.objects.filter(post=post).values_list("vector", flat=True)
    assert np.dot(one, other) == pytest.approx(1, abs=1e-3)  # a short text is its own summary


@pytest.mark.django_db
def test_bad_input_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        call_command("grox_reembed", name="word2vec")
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(CommandError, match="--batch: must be at least 1, not 0"):
        call_command("grox_reembed", "--batch", "0")


@pytest.mark.django_db
def test_a_search_walks_the_index_and_reads_one_version():
    near, far = PostFactory(text="x", language="en"), PostFactory(text="y", language="en")
    this = PostFactory(text=BREAD, language="en")
    one, other = np.eye(384)[0], np.eye(384)[1]
    for post, version, vector in [
        (this, minilm.VERSION, one),
        (near, minilm.VERSION, one),
        (far, minilm.VERSION, other),
        (far, summaries.EMBEDDING, one),
    ]:
        PostEmbedding.objects.create(post=post, model=version, vector=vector.tolist())
    found = similar.nearest(this.pk, languages=("en",), limit=5)
    assert [(row.post_id, row.cosine) for row in found] == [(near.pk, pytest.approx(1.0))]
    assert similar.nearest(near.pk + 1, languages=("fr",), limit=5) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + similar._SIMILAR, {"post": this.pk, "languages": ["en"], "limit": 5})
        assert "posts_embedding_hnsw" in str(cursor.fetchall())
