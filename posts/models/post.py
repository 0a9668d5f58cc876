"""Posts, their exact counters and their earlier wordings."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from posts.types import Visibility
from xsocial.kernel import clock, ids

#: What search looks through. "simple" splits words without stemming: posts come in any language.
SEARCH_CONFIG = "simple"
SEARCH_VECTOR = SearchVector("spoiler_text", "text", "poll_text", config=SEARCH_CONFIG)


class Post(models.Model):
    """One post, reply, quote or repost.

    A repost has `repost_of` and no content of its own. `conversation_id` is the id of the
    thread's root (its own id for a root). Deleted posts keep their row, emptied, so that
    threads keep their shape; `deleted_at` marks them.
    """

    # Set by `get_visible_post`: for whom this very object was found to be open. Never stored.
    opened_by: int | None = None

    id = models.BigIntegerField(primary_key=True, default=ids.next_id, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="posts", db_index=False)
    text = models.TextField(blank=True)
    spoiler_text = models.CharField(max_length=200, blank=True)
    sensitive = models.BooleanField(default=False)
    language = models.CharField(max_length=8, blank=True)
    visibility = models.CharField(
        max_length=10,
        choices=[(v.value, v.name.title()) for v in Visibility],
        default=Visibility.PUBLIC,
    )
    subscribers_only = models.BooleanField(default=False)

    in_reply_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replies")
    in_reply_to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    repost_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="reposts")
    quote_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="quotes")
    conversation_id = models.BigIntegerField()

    poll_text = models.CharField(
        max_length=400, blank=True, default="", db_default="", help_text="Options of its poll, one a line."
    )
    has_media = models.BooleanField(default=False)
    video_duration_ms = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Shortest video of the post; empty without video.",
    )
    application = models.CharField(max_length=80, blank=True, help_text="Client that posted it.")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    withheld_until = models.DateTimeField(null=True, blank=True, help_text="Until then only its author may open it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author", "repost_of"],
                condition=Q(repost_of__isnull=False, deleted_at__isnull=True),
                name="posts_post_one_repost",
            ),
            models.CheckConstraint(
                condition=Q(repost_of__isnull=True) | Q(in_reply_to__isnull=True, quote_of__isnull=True),
                name="posts_post_repost_is_bare",
            ),
            models.CheckConstraint(condition=~Q(in_reply_to=F("id")), name="posts_post_no_self_reply"),
        ]
        indexes = [
            models.Index(fields=["author", "-id"], name="posts_post_author_recent"),
            models.Index(fields=["conversation_id", "id"], name="posts_post_conversation"),
            models.Index(fields=["-created_at"], name="posts_post_recent"),
            GinIndex(SEARCH_VECTOR, name="posts_post_words"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.text[:40]}"

    @property
    def is_repost(self) -> bool:
        return self.repost_of_id is not None

    @property
    def is_reply(self) -> bool:
        return self.in_reply_to_id is not None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class Pin(models.Model):
    """A post its author keeps at the top of their profile; the last pinned stands first."""

    post = models.OneToOneField(Post, models.CASCADE, primary_key=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="pins", db_index=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["author", "-created_at"], name="posts_pin_of_author")]

    def __str__(self) -> str:
        return f"{self.author_id} pinned {self.post_id}"


class PostCounts(models.Model):
    """Counters of one post, kept exact by the services that change them.

    A table of its own: counting must not rewrite the post's wide row.
    """

    post = models.OneToOneField(Post, models.CASCADE, primary_key=True, related_name="counts")
    favorites = models.PositiveIntegerField(default=0)
    replies = models.PositiveIntegerField(default=0)
    reposts = models.PositiveIntegerField(default=0)
    quotes = models.PositiveIntegerField(default=0)
    bookmarks = models.PositiveIntegerField(default=0)
    shares = models.PositiveIntegerField(default=0)
    views = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "post counts"

    def __str__(self) -> str:
        return f"Counts of {self.post_id}"


class PostEdit(models.Model):
    """A wording the post had until `replaced_at`."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="edits")
    text = models.TextField(blank=True)
    spoiler_text = models.CharField(max_length=200, blank=True)
    sensitive = models.BooleanField(default=False)
    media_ids = models.JSONField(default=list)
    written_at = models.DateTimeField()
    replaced_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Earlier wording of {self.post_id}"
