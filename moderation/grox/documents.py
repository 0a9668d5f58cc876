"""Posts as the plans see them: plain values, normalised text, vector. Loaded in batches."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from moderation.grox import language
from moderation.grox.classifiers import heads
from moderation.grox.embedders import minilm
from moderation.grox.media.attached import Attachment, attachments_of, unscored, words_in
from moderation.grox.spelling import mended
from moderation.grox.text import MAX_CHARS, normalise, prose
from posts.models import Post
from xsocial.kernel import metrics

NO_TEXT = "no text"
ENGLISH_SHARE = 0.6  # of the words must be known, where the language detector cannot tell
ENGLISH_WORDS = ("offensive", "spam")  # heads whose vocabularies know tweets and text messages

Read = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Author:
    """What the filters ask about the people around a post."""

    user_id: int
    is_protected: bool = False
    num_followers: int = 0


@dataclass(frozen=True)
class Document:
    """One post. `vector` [384] is its text's embedding, `reading` [384] how it speaks; of no text if it has none."""

    post_id: int
    text: str
    language: str
    not_scored: str  # why text models cannot judge it; empty when they can
    vector: NDArray[np.float32]
    reading: NDArray[np.float32]
    author: Author | None = None
    parent_author: Author | None = None
    root_author: Author | None = None
    is_reply: bool = False
    has_media: bool = False
    media: tuple[Attachment, ...] = ()
    has_text: bool = True
    mentions_someone: bool = False
    parent_text: str = ""  # what a reply answers, as written
    raw_text: str = ""  # as written, for readers that need no normalising

    @property
    def unscored_media(self) -> str:
        """Why its attachments are not scored; empty when they are, or there are none."""
        return unscored(self.media) if self.has_media else ""

    @property
    def is_all_pictures(self) -> bool:
        """No words anywhere, and every attachment judged: there is nothing left to read."""
        return self.not_scored == NO_TEXT and self.has_media and not self.unscored_media

    @property
    def nudity(self) -> float:
        """Of the worst attachment, 0 to 1."""
        return max((row.nudity or 0.0 for row in self.media), default=0.0)

    @property
    def text_hash(self) -> str:
        """By which the same wording is known again."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def documents_of(post_ids: Sequence[int], texts: Sequence[str], *, read: Read = minilm.read) -> list[Document]:
    """Make documents from raw texts: one embedding batch, equal texts once.

    `read` makes vectors and readings [N, 768] of normalised texts; who needs less of them than all has a cheaper one.
    """
    seconds = metrics.histogram("grox_embedding_seconds", "Time to make documents of a batch", ("step",))
    with seconds.labels("render").time():
        distinct = {raw: normalise(raw) for raw in dict.fromkeys(texts)}
        known = {raw: _judge_language(text) for raw, text in distinct.items()}
        distinct = {raw: mended(text) if known[raw][0] == "en" else text for raw, text in distinct.items()}
    with seconds.labels("encode").time():
        rows = read([distinct[raw] for raw in texts])
    metrics.counter("grox_truncated", "Texts read by their beginning only").inc(
        sum(len(raw) > MAX_CHARS for raw in texts)
    )
    return [
        Document(
            post_id=post_id,
            text=distinct[raw],
            language=known[raw][0],
            not_scored=known[raw][1],
            vector=row[: minilm.DIMENSIONS],
            reading=row[minilm.DIMENSIONS :],
            has_text=bool(distinct[raw]),
            mentions_someone="@user" in distinct[raw],
            raw_text=raw[:MAX_CHARS],
        )
        for post_id, raw, row in zip(post_ids, texts, rows, strict=True)
    ]


def _judge_language(text: str) -> tuple[str, str]:
    """Return (language, why not scored) of a normalised text; the heads here read English only."""
    words = prose(text)
    if not words:
        return language.UNDETERMINED, NO_TEXT
    code, _ = language.detect_prose(words)
    if code == "en" or (code == language.UNDETERMINED and _looks_english(mended(words))):
        return "en", ""
    return code, f"language {code}"


def _looks_english(words: str) -> bool:
    known = [heads.load(task).words.places for task in ENGLISH_WORDS]
    tokens = [token.strip(".,!?;:'\"()") for token in words.split()]
    return sum(any(token in places for places in known) for token in tokens) >= ENGLISH_SHARE * len(tokens)


def load_documents(post_ids: Iterable[int], *, read: Read = minilm.read) -> list[Document]:
    """Load posts that still exist and have content of their own: reposts and deleted ones are left out.

    `read` as for `documents_of`.
    """
    posts = list(
        Post.objects.filter(pk__in=list(post_ids), repost_of=None, deleted_at=None)
        .select_related("author", "in_reply_to__author")
        .order_by("pk")
    )
    roots = _root_authors(posts)
    media = attachments_of(post.pk for post in posts if post.has_media)
    # the model judges what is shown: the cover line belongs to the text, and so do words in pictures and sound
    texts = [f"{_text_of(post)}\n{words_in(media.get(post.pk, ()))}".strip() for post in posts]
    return [
        replace(
            document,
            author=_author(post.author),
            parent_author=_author(post.in_reply_to.author) if post.in_reply_to else None,
            parent_text=_text_of(post.in_reply_to) if post.in_reply_to else "",
            root_author=roots.get(post.conversation_id),
            is_reply=post.is_reply,
            has_media=post.has_media,
            media=media.get(post.pk, ()),
            mentions_someone=document.mentions_someone or post.is_reply,
        )
        for post, document in zip(posts, documents_of([post.pk for post in posts], texts, read=read), strict=True)
    ]


def _text_of(post: Post) -> str:
    return f"{post.spoiler_text} {post.text}\n{post.poll_text}".strip()


def _root_authors(posts: list[Post]) -> dict[int, Author]:
    root_ids = {post.conversation_id for post in posts if post.is_reply}
    if not root_ids:
        return {}
    return {root.pk: _author(root.author) for root in Post.objects.filter(pk__in=root_ids).select_related("author")}


def _author(user: User) -> Author:
    return Author(user.pk, is_protected=user.is_locked, num_followers=user.followers_count)
