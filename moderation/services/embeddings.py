"""Making another version of all vectors while the one in force is read, and then changing over at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from moderation.grox.documents import Document, load_documents
from moderation.grox.embedders import minilm, summaries
from moderation.grox.embedders.vectors import fitted
from moderation.grox.tasks.embed import describe, words_of_summary
from moderation.grox.tasks.filters import EmbeddingFilter, ReplyEmbeddingFilter
from moderation.models import PostSummary
from posts.models import EmbeddingVersion, Post, PostEmbedding
from xsocial.kernel import clock

#: What can be made here: of a post's own words, and of its summary and what it answers.
VERSIONS = (minilm.VERSION, summaries.EMBEDDING)


def begin_version(version: str) -> None:
    """From now on new posts get vectors of this version too. Raises ValueError for one that nobody can make."""
    if version not in VERSIONS:
        raise ValueError(f"unknown version {version!r}; there are {', '.join(VERSIONS)}")
    EmbeddingVersion.objects.get_or_create(name=version)


def without_vector(version: str) -> QuerySet[Post]:
    """Live posts with content of their own that have no vector of a version, oldest first."""
    made = PostEmbedding.objects.filter(post=OuterRef("pk"), model=version)
    return Post.objects.filter(~Exists(made), repost_of=None, deleted_at=None).order_by("pk")


def embed_missing(version: str, *, batch: int) -> Iterator[tuple[int, int]]:
    """Make what is missing, batch by batch: posts looked at, vectors written. Whoever stops goes on here later."""
    last = 0
    while post_ids := list(without_vector(version).filter(pk__gt=last).values_list("pk", flat=True)[:batch]):
        yield len(post_ids), embed_posts(version, post_ids)
        last = post_ids[-1]


def embed_posts(version: str, post_ids: Sequence[int]) -> int:
    """Write vectors of posts that say something; returns how many."""
    read = _unread if version == summaries.EMBEDDING else _embedded_only
    documents = [document for document in load_documents(post_ids, read=read) if document.has_text]
    if version == summaries.EMBEDDING:
        return _embed_summaries([document for document in documents if _has_summary(document)])
    store_vectors(version, {document.post_id: document.vector for document in documents})
    return len(documents)


def _unread(texts: list[str]) -> NDArray[np.float32]:
    """No vectors of posts' own words: their summaries are embedded instead."""
    return np.zeros((len(texts), 2 * minilm.DIMENSIONS), dtype=np.float32)


def _embedded_only(texts: list[str]) -> NDArray[np.float32]:
    """Vectors without readings, which only the heads ask for."""
    return np.hstack([minilm.embed(texts), np.zeros((len(texts), minilm.DIMENSIONS), dtype=np.float32)])


def _has_summary(document: Document) -> bool:
    chosen = ReplyEmbeddingFilter() if document.is_reply else EmbeddingFilter()
    return not chosen.refusal(document)


def _embed_summaries(documents: list[Document]) -> int:
    described = [describe(document) for document in documents]
    texts = [words_of_summary(document, found.text) for document, (found, _) in zip(documents, described, strict=True)]
    with transaction.atomic():
        store_summaries(
            (document.post_id, made_by, found.text)
            for document, (found, made_by) in zip(documents, described, strict=True)
        )
        vectors = minilm.embed(texts)
        ids = [document.post_id for document in documents]
        store_vectors(summaries.EMBEDDING, dict(zip(ids, vectors, strict=True)))
    return len(documents)


def store_summaries(made: Iterable[tuple[int, str, str]]) -> None:
    """Keep summaries: of which post, by what, and the text. Newer ones replace older ones of the same maker."""
    PostSummary.objects.bulk_create(
        (PostSummary(post_id=post_id, version=made_by, text=text) for post_id, made_by, text in made),
        update_conflicts=True,
        unique_fields=["post", "version"],
        update_fields=["text", "created_at"],
    )


def store_vectors(version: str, vectors: Mapping[int, NDArray[np.floating]]) -> None:
    """Keep vectors [384] of posts, by their ids, in place of older ones. Raises ValueError for an unfit one."""
    now = clock.now()
    PostEmbedding.objects.bulk_create(
        (
            PostEmbedding(post_id=post_id, model=version, vector=fitted(vector, minilm.DIMENSIONS), created_at=now)
            for post_id, vector in vectors.items()
        ),
        update_conflicts=True,
        unique_fields=["post", "model"],
        update_fields=["vector", "created_at"],
    )


def serve_version(version: str) -> None:
    """From the next statement on, searches and models read this version and no other."""
    EmbeddingVersion.objects.update_or_create(name=version, defaults={"served_at": clock.now()})
