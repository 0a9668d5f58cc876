"""Making another version of all vectors while the one in force is read, and then changing over at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

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
    documents = [document for document in load_documents(post_ids) if document.has_text]
    if version == summaries.EMBEDDING:
        return _embed_summaries([document for document in documents if _has_summary(document)])
    _store(version, documents, [document.vector for document in documents])
    return len(documents)


def _has_summary(document: Document) -> bool:
    chosen = ReplyEmbeddingFilter() if document.is_reply else EmbeddingFilter()
    return not chosen.refusal(document)


def _embed_summaries(documents: list[Document]) -> int:
    described = [describe(document) for document in documents]
    texts = [words_of_summary(document, found.text) for document, (found, _) in zip(documents, described, strict=True)]
    with transaction.atomic():
        PostSummary.objects.bulk_create(
            (
                PostSummary(post_id=document.post_id, version=made_by, text=found.text)
                for document, (found, made_by) in zip(documents, described, strict=True)
            ),
            update_conflicts=True,
            unique_fields=["post", "version"],
            update_fields=["text", "created_at"],
        )
        _store(summaries.EMBEDDING, documents, list(minilm.embed(texts)))
    return len(documents)


def _store(version: str, documents: list[Document], vectors: list[np.ndarray]) -> None:
    now = clock.now()
    PostEmbedding.objects.bulk_create(
        (
            PostEmbedding(
                post_id=document.post_id, model=version, vector=fitted(vector, minilm.DIMENSIONS), created_at=now
            )
            for document, vector in zip(documents, vectors, strict=True)
        ),
        update_conflicts=True,
        unique_fields=["post", "model"],
        update_fields=["vector", "created_at"],
    )


def serve_version(version: str) -> None:
    """From the next statement on, searches and models read this version and no other."""
    EmbeddingVersion.objects.update_or_create(name=version, defaults={"served_at": clock.now()})
