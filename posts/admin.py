"""Posts and what happened to them in the admin.

Writing goes through the services, which keep counters, events and the log together; here one
reads, corrects flags, and deletes posts the way their authors do.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet

from posts import services
from posts.models import (
    Bookmark,
    EmbeddingVersion,
    Engagement,
    IdempotencyKey,
    Impression,
    Marker,
    Media,
    MediaFingerprint,
    Mention,
    Notification,
    Pin,
    Poll,
    Post,
    PostCounts,
    PostEdit,
    PostEmbedding,
    PostTag,
    PostTopic,
    ScheduledPost,
    Tag,
)
from xsocial.kernel.errors import ApplicationError


class LargeTableAdmin(admin.ModelAdmin):
    """Millions of rows: newest first by key, never counted, never in a drop-down."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ["-pk"]


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows that only services write."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class CountsInline(admin.StackedInline):
    model = PostCounts
    can_delete = False

    def has_change_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Post)
class PostAdmin(LargeTableAdmin):
    list_display = ["id", "author", "excerpt", "language", "visibility", "sensitive", "created_at", "deleted_at"]
    list_select_related = ["author"]
    list_filter = ["visibility", "sensitive", "subscribers_only", "has_media"]
    search_fields = ["=id", "=author__username", "text"]
    raw_id_fields = ["author", "in_reply_to", "in_reply_to_user", "repost_of", "quote_of"]
    readonly_fields = [
        "author",
        "text",
        "visibility",
        "subscribers_only",
        "application",
        "in_reply_to",
        "in_reply_to_user",
        "repost_of",
        "quote_of",
        "conversation_id",
        "has_media",
        "video_duration_ms",
        "created_at",
        "edited_at",
        "deleted_at",
        "withheld_until",
    ]
    inlines = [CountsInline]
    actions = ["delete_as_staff"]

    @admin.display(description="text")
    def excerpt(self, post: Post) -> str:
        return post.text[:60] or ("repost" if post.is_repost else "")

    @admin.action(description="Delete selected posts", permissions=["retire"])
    def delete_as_staff(self, request, queryset: QuerySet[Post]) -> None:
        for post in queryset:
            try:
                services.delete_post(actor=request.user, post=post)
            except ApplicationError as error:
                self.message_user(request, f"{post.pk}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{post.pk} is deleted, and its reposts with it.")

    def has_retire_permission(self, request) -> bool:
        """Rows stay, emptied; hence not what the admin calls deleting."""
        return request.user.has_perm("posts.delete_post")

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(PostCounts)
class PostCountsAdmin(ReadOnlyAdmin):
    list_display = ["post_id", "favorites", "replies", "reposts", "quotes", "bookmarks", "shares", "views"]
    search_fields = ["=post__id"]


@admin.register(PostEdit)
class PostEditAdmin(ReadOnlyAdmin):
    list_display = ["post_id", "text", "written_at", "replaced_at"]
    search_fields = ["=post__id"]


@admin.register(Poll)
class PollAdmin(ReadOnlyAdmin):
    """The counts; ballots are secret from operators too."""

    list_display = ["post_id", "options", "votes", "voters", "ends_at", "closed_at"]
    search_fields = ["=post__id"]


@admin.register(ScheduledPost)
class ScheduledPostAdmin(ReadOnlyAdmin):
    list_display = ["id", "author", "due_at", "failure", "created_at"]
    list_select_related = ["author"]
    search_fields = ["=id", "=author__username"]


@admin.register(Media)
class MediaAdmin(LargeTableAdmin):
    list_display = ["id", "owner", "kind", "post_id", "width", "height", "duration_ms", "alt_text", "created_at"]
    list_select_related = ["owner"]
    list_filter = ["kind"]
    search_fields = ["=id", "=owner__username", "alt_text"]
    fields = ["owner", "post", "kind", "file", "preview", "alt_text", "width", "height", "duration_ms", "blurhash"]
    raw_id_fields = ["owner", "post"]
    readonly_fields = ["owner", "post", "kind", "file", "preview", "width", "height", "duration_ms", "blurhash"]

    def has_add_permission(self, request) -> bool:
        return False


@admin.register(Engagement)
class EngagementAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "kind", "post_id", "author_id", "surface", "seconds", "created_at"]
    list_select_related = ["user"]
    list_filter = ["kind", "surface"]
    search_fields = ["=user__username", "=post__id"]


@admin.register(Impression)
class ImpressionAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "post_id", "author_id", "surface", "position", "propensity", "created_at"]
    list_select_related = ["user"]
    list_filter = ["surface"]
    search_fields = ["=user__username", "=post__id"]


@admin.register(Bookmark)
class BookmarkAdmin(ReadOnlyAdmin):
    list_display = ["user", "post_id", "created_at"]
    list_select_related = ["user"]
    search_fields = ["=user__username", "=post__id"]


@admin.register(Pin)
class PinAdmin(ReadOnlyAdmin):
    list_display = ["author", "post_id", "created_at"]
    list_select_related = ["author"]
    search_fields = ["=author__username", "=post__id"]


@admin.register(Marker)
class MarkerAdmin(ReadOnlyAdmin):
    list_display = ["user", "timeline", "last_read_id", "updated_at"]
    list_select_related = ["user"]
    list_filter = ["timeline"]
    search_fields = ["=user__username"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["recipient", "kind", "actor", "post_id", "created_at", "read_at"]
    list_select_related = ["recipient", "actor"]
    list_filter = ["kind"]
    search_fields = ["=recipient__username", "=actor__username"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ["user", "key", "object_id", "created_at"]
    list_select_related = ["user"]
    search_fields = ["=user__username", "=key"]


@admin.register(Tag)
class TagAdmin(LargeTableAdmin):
    list_display = ["name", "may_trend"]
    list_editable = ["may_trend"]
    search_fields = ["name"]


@admin.register(PostTag)
class PostTagAdmin(ReadOnlyAdmin):
    list_display = ["post_id", "tag"]
    list_select_related = ["tag"]
    search_fields = ["=post__id", "=tag__name"]


@admin.register(PostTopic)
class PostTopicAdmin(LargeTableAdmin):
    list_display = ["post_id", "topic", "confidence", "is_curated"]
    list_select_related = ["topic"]
    list_filter = ["is_curated", "topic"]
    list_editable = ["is_curated"]
    search_fields = ["=post__id"]
    raw_id_fields = ["post"]
    autocomplete_fields = ["topic"]


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin):
    list_display = ["post_id", "user"]
    list_select_related = ["user"]
    search_fields = ["=post__id", "=user__username"]


@admin.register(PostEmbedding)
class PostEmbeddingAdmin(ReadOnlyAdmin):
    list_display = ["post_id", "model", "created_at"]
    list_filter = ["model"]
    search_fields = ["=post__id"]
    fields = ["post", "model", "created_at"]

    def get_queryset(self, request) -> QuerySet[PostEmbedding]:
        return super().get_queryset(request).defer("vector")


@admin.register(EmbeddingVersion)
class EmbeddingVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "served_at"]
    search_fields = ["name"]
    ordering = ["-served_at"]


@admin.register(MediaFingerprint)
class MediaFingerprintAdmin(ReadOnlyAdmin):
    list_display = ["media_id", "at_ms", "bits"]
    search_fields = ["=media__id"]
