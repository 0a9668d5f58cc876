"""Attachments in the plans: unread, read, hostile, and what their words and pictures lead to."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from moderation import selectors, services, tasks
from moderation.grox import run, sinks
from moderation.grox.dispatcher import Dispatcher
from moderation.grox.documents import load_documents
from moderation.grox.embedders import minilm
from moderation.grox.media.reading import Reading, unreadable
from moderation.grox.payload import Stream
from moderation.grox.text import normalise
from moderation.models import MediaReading, PostAnnotation, PostFlags, PostLabel
from moderation.services import media as service
from moderation.types import QueueKind
from posts.events import MediaUploaded
from posts.models import Media, MediaFingerprint, PostEmbedding
from tests.factories import MediaFactory, ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db
VERSIONS = {"writing": "ocr 1", "nudity": "eyes 1", "speech": "ears 1"}
INSULT = "You are a worthless idiot, go to hell"
CLEARED = {"GROK_NSFA_LIMITED", "PTOS_REVIEWED"}


class FakeReader:
    """Finds the same in every file, and counts them."""

    def __init__(self, **found):
        self.found, self.num_read = Reading(**{"nudity": 0.01, "versions": VERSIONS, **found}), 0

    def read(self, path: Path, kind: str) -> Reading:
        assert path.stat().st_size
        self.num_read += 1
        return self.found


@pytest.fixture
def use(monkeypatch):
    """Read attachments with a fake: use(writing="...")."""
    monkeypatch.setattr(sinks.Sink, "waits", (0.0,))

    def install(reader=None, **found):
        reader = reader or FakeReader(**found)
        monkeypatch.setattr(service, "reader", lambda: reader)
        return reader

    return install


def post_with_picture(**options):
    author = UserFactory()
    return PostFactory(author=author, media=[MediaFactory(owner=author)], **options)


def read_all(post):
    for row in post.media.all():
        services.read_media(row.pk)


def analyze(post, stream=Stream.MEDIA_READ):
    (result,) = run.analyze([post.pk], stream=stream)
    return {plan.plan: plan for plan in result.plans}


def labels(post):
    return selectors.labels_for([post.pk])[post.pk]


def test_an_unread_picture_leaves_the_post_not_scored_until_it_is_read(use):
    use()
    post = post_with_picture(text="A fine morning in the park")
    analyze(post, Stream.REALTIME)
    assert labels(post) == {"GROK_NOT_SCORED", "PTOS_REVIEWED"}
    assert PostLabel.objects.get(post=post, label="GROK_NOT_SCORED").evidence == {"reason": "media: not read yet"}
    read_all(post)
    assert analyze(post)["safety_ptos"].state == "done"
    assert labels(post) == CLEARED
    assert "violence" in PostLabel.objects.get(post=post, label="GROK_NSFA_LIMITED").evidence["reason"]


def test_without_models_the_post_stays_not_scored_and_says_so(use, client):
    use(not_scored=("no model for nudity", "no model for writing"))
    post = post_with_picture(text="A fine morning in the park")
    read_all(post)
    analyze(post)
    assert labels(post) == {"GROK_NOT_SCORED", "PTOS_REVIEWED"}
    client.force_login(post.author)
    assert "no model for nudity; no model for writing" in client.get(f"/posts/{post.pk}/labels").text
    client.force_login(ModeratorFactory())
    assert "1 post with attachments" in client.get("/moderation").text


def test_a_hostile_file_is_not_scored_and_not_tried_again(use):
    reader = use()
    reader.found = unreadable("takes longer than 120 seconds")
    post = post_with_picture(text="A fine morning in the park")
    read_all(post)
    read_all(post)
    assert reader.num_read == 1
    analyze(post)
    assert "GROK_NOT_SCORED" in labels(post)
    assert "longer than 120 seconds" in PostLabel.objects.get(post=post, label="GROK_NOT_SCORED").evidence["reason"]


def test_words_in_pictures_and_sound_are_judged_and_embedded(use):
    use(writing=INSULT)
    post = post_with_picture(text="For you")
    read_all(post)
    analyze(post)
    assert "FOSNR_ABUSE_INSULTS" in labels(post)
    use(transcript="A walk through the bakery at dawn", writing="")
    spoken = post_with_picture(text="New video")
    read_all(spoken)
    plans = analyze(spoken)
    wanted = minilm.embed([normalise("New video\nA walk through the bakery at dawn")])[0]
    stored = PostEmbedding.objects.get(post=spoken, model="minilm_v1").vector
    assert float(np.dot(stored, wanted)) > 0.999
    assert plans["post_embedding_v5"].versions["embedder"] == "minilm_v1"


def test_a_picture_without_any_words_is_judged_too(use):
    use()
    post = post_with_picture(text="")
    read_all(post)
    analyze(post)
    assert labels(post) == CLEARED
    assert not PostEmbedding.objects.filter(post=post).exists()


@pytest.mark.parametrize("text", ["A fine morning in the park", "", "Hoy hemos paseado por el mercado de la ciudad"])
def test_what_only_the_picture_model_sees_has_an_annotation_of_its_own(use, text):
    use(nudity=0.93)
    post = post_with_picture(text=text)
    read_all(post)
    analyze(post)
    row = PostAnnotation.objects.get(post=post, plan="nudity")
    [found] = row.result["policy"]["violations"]
    assert (found["category"], found["policy"], found["score"]) == ("AdultContent", "SexualHard", 93.0)
    assert row.versions == {"nudity": "eyes 1"}
    assert PostFlags.objects.get(post=post).is_nsfw
    assert labels(post) >= {"NSFW_HIGH_PRECISION", "NSFW_HIGH_RECALL", "GROK_NSFA"}


def test_a_doubtful_picture_goes_to_people(use):
    use(nudity=0.6)
    post = post_with_picture(text="A fine morning in the park")
    read_all(post)
    analyze(post)
    assert "NSFW_HIGH_PRECISION" not in labels(post)
    [entry] = selectors.entries(QueueKind.UNSURE)
    assert entry.reasons == ("Adult content 60%",)


def test_a_file_is_read_once_whoever_asks_and_by_one_at_a_time(use):
    reader = use()
    media = MediaFactory()
    assert services.read_media(media.pk) is None
    assert services.read_media(media.pk) is None
    assert reader.num_read == 1
    services.read_media(media.pk, again=True)
    assert reader.num_read == 2
    twin = MediaFactory()
    Media.objects.filter(pk=twin.pk).update(file=media.file.name)  # as in the demo world
    services.read_media(twin.pk)
    assert reader.num_read == 2
    assert MediaReading.objects.get(media=twin).versions == VERSIONS
    other = MediaFactory()
    with service._claim(other.pk):
        services.read_media(other.pk)
    assert not MediaReading.objects.filter(media=other).exists()
    assert services.read_media(10**15) is None


def test_frames_of_a_video_are_matched_against_the_block_list_once_read(use):
    bits = "0110" * 64
    services.block_picture(bits=bits)
    use(fingerprints=((4000, bits),))
    post = post_with_picture(text="Look")
    assert not labels(post)
    read_all(post)
    assert labels(post) == {"PDNA"}
    assert PostLabel.objects.get(post=post).evidence["at"] == "4.0 s"
    assert MediaFingerprint.objects.filter(media__post=post).count() == 1


def test_uploads_are_read_before_they_are_posted_and_the_sweep_finds_the_rest(use, monkeypatch):
    use()
    asked = []
    monkeypatch.setattr(tasks.read_media, "delay", asked.append)
    media = MediaFactory()
    row = OutboxEvent.objects.get(name="posts.media_uploaded")
    Dispatcher("test")._on_uploaded(MediaUploaded(**row.payload))
    assert asked == [media.pk]
    with clock.fixed(clock.now() + 2 * service.SWEEP_AFTER):
        tasks.recover()
        assert asked == [media.pk, media.pk]
        services.read_media(media.pk)
        tasks.recover()
        assert len(asked) == 2


def test_the_task_judges_the_post_anew_and_a_crossing_is_found(use, monkeypatch):
    use()
    sent = []
    monkeypatch.setattr(tasks.analyze_posts, "apply_async", lambda args, kwargs, **_: sent.append((args, kwargs)))
    post = post_with_picture(text="A fine morning in the park")
    analyze(post, Stream.REALTIME)
    tasks.read_media(post.media.get().pk)
    assert sent == [([[post.pk]], {"stream": "media_read"})]
    assert services.waiting_in_vain() == []
    PostLabel.objects.update(applied_at=post.created_at - 2 * service.SWEEP_AFTER)
    assert services.waiting_in_vain() == [post.pk]
    tasks.recover()
    assert sent[1] == ([[post.pk]], {"stream": "media_read"})


def test_a_document_knows_what_of_its_media_is_open(use):
    use(nudity=0.2)
    post = post_with_picture(text="One")
    [unread] = load_documents([post.pk])
    assert unread.unscored_media == "media: not read yet"
    read_all(post)
    [read] = load_documents([post.pk])
    assert (read.unscored_media, read.nudity) == ("", 0.2)


def test_the_command_reads_what_models_were_missing_for(use, capsys):
    use(not_scored=("no model for nudity",), nudity=None)
    post = post_with_picture(text="A fine morning in the park")
    call_command("grox_read_media")
    assert "1 attachments read, 0 fully scored, 1 posts judged anew" in capsys.readouterr().out
    assert labels(post) == {"GROK_NOT_SCORED", "PTOS_REVIEWED"}
    use()
    call_command("grox_read_media")
    assert "0 attachments" in capsys.readouterr().out
    call_command("grox_read_media", again=True)
    assert labels(post) == CLEARED
    with pytest.raises(CommandError, match="--limit: must be at least 1, not 0"):
        call_command("grox_read_media", "--limit", "0")
