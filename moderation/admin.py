"""The moderators' workplace for now: queues of reports and appeals, labels, annotations, the audit log."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest

from moderation import services
from moderation.forms import BlockedPictureForm
from moderation.models import (
    Appeal,
    BlockedPicture,
    MediaReading,
    PostAnnotation,
    PostFlags,
    PostLabel,
    Report,
    ReviewDecision,
    Strike,
)
from moderation.types import AppealState, Label, ReportState
from xsocial.kernel import fingerprints
from xsocial.kernel.errors import ApplicationError


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only services write: they can be looked at, and acted on through actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def each(self, request: HttpRequest, rows: QuerySet, act: Any) -> None:
        """Call a service for each chosen row and say how it went."""
        done = 0
        for row in rows:
            try:
                act(row)
                done += 1
            except ApplicationError as error:
                self.message_user(request, f"{row}: {error.message}", messages.WARNING)
        self.message_user(request, f"{done} done.")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Open reports first; the most often reported at the top."""

    list_display = ("__str__", "account", "reporter", "note", "num_open", "state", "created_at")
    list_filter = ("state", "reason", "created_at")
    list_select_related = ("account", "reporter")
    search_fields = ("account__username", "note")
    actions = ("dismiss", "uphold", "uphold_as_spam", "uphold_as_abuse", "uphold_as_adult")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        rows = super().get_queryset(request).annotate(open_reports=Count("post__reports"))
        return rows.order_by("state", "-open_reports", "created_at")

    @admin.display(description="reports", ordering="open_reports")
    def num_open(self, report: Report) -> int:
        return report.open_reports

    def _decide(self, request: HttpRequest, rows: QuerySet, *, is_upheld: bool, label: Label | None = None) -> None:
        self.each(
            request,
            rows.filter(state=ReportState.OPEN),
            lambda row: services.decide_report(
                moderator=request.user, report=row, is_upheld=is_upheld, label=label if row.post_id else None
            ),
        )

    @admin.action(description="Dismiss")
    def dismiss(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=False)

    @admin.action(description="Uphold without a label")
    def uphold(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=True)

    @admin.action(description="Uphold: spam")
    def uphold_as_spam(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=True, label=Label.SPAM)

    @admin.action(description="Uphold: abuse")
    def uphold_as_abuse(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=True, label=Label.FOSNR_ABUSE_INSULTS)

    @admin.action(description="Uphold: adult content")
    def uphold_as_adult(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=True, label=Label.NSFW_REPORTED_HEURISTICS)


@admin.register(PostLabel)
class PostLabelAdmin(ReadOnlyAdmin):
    list_display = ("post_id", "label", "source", "rule", "score", "applied_at", "expires_at", "lifted_at")
    list_filter = ("label", "source", ("lifted_at", admin.EmptyFieldListFilter), "applied_at")
    search_fields = ("=post__id", "rule")
    actions = ("lift",)

    @admin.action(description="Take off")
    def lift(self, request: HttpRequest, rows: QuerySet) -> None:
        self.each(request, rows, lambda row: services.lift_label(moderator=request.user, label=row))


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "author", "statement", "state", "created_at", "decided_at")
    list_filter = ("state", "created_at")
    list_select_related = ("label", "author")
    actions = ("grant", "refuse")

    def _decide(self, request: HttpRequest, rows: QuerySet, *, is_upheld: bool) -> None:
        self.each(
            request,
            rows.filter(state=AppealState.OPEN),
            lambda row: services.decide_appeal(moderator=request.user, appeal=row, is_upheld=is_upheld),
        )

    @admin.action(description="Grant: take the label off")
    def grant(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=True)

    @admin.action(description="Refuse")
    def refuse(self, request: HttpRequest, rows: QuerySet) -> None:
        self._decide(request, rows, is_upheld=False)


@admin.register(PostAnnotation)
class PostAnnotationAdmin(ReadOnlyAdmin):
    list_display = ("post_id", "plan", "state", "stream", "attempt", "milliseconds", "reason", "created_at")
    list_filter = ("plan", "state", "stream", "created_at")
    search_fields = ("=post__id",)


@admin.register(PostFlags)
class PostFlagsAdmin(ReadOnlyAdmin):
    list_display = ("post_id", *PostFlags.NAMES, "updated_at")
    list_filter = PostFlags.NAMES
    search_fields = ("=post__id",)


@admin.register(ReviewDecision)
class ReviewDecisionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "moderator", "action", "post_id", "label", "note")
    list_filter = ("action", "label", "created_at")
    list_select_related = ("moderator",)


@admin.register(Strike)
class StrikeAdmin(ReadOnlyAdmin):
    """What counts against whom. A strike goes with its label: take the label off, or grant an appeal."""

    list_display = ("account", "label", "created_at", "expires_at", "withdrawn_at")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("account", "label")
    search_fields = ("=account__username",)


@admin.register(BlockedPicture)
class BlockedPictureAdmin(ReadOnlyAdmin):
    """Adding one labels the posts that show it; deleting one frees them."""

    form = BlockedPictureForm
    list_display = ("__str__", "label", "note", "added_by", "created_at", "fingerprint")
    list_filter = ("label", "created_at")
    list_select_related = ("added_by",)
    actions = ("unblock",)

    @admin.display(description="fingerprint")
    def fingerprint(self, picture: BlockedPicture) -> str:
        return fingerprints.to_hex(str(picture.bits))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return services.is_moderator(request.user)

    def save_model(self, request: HttpRequest, obj: BlockedPicture, form: Any, change: bool) -> None:
        values = form.cleaned_data
        row, num_posts = services.block_picture(
            bits=values["bits"], label=Label(values["label"]), note=values["note"], moderator=request.user
        )
        obj.pk = row.pk
        self.message_user(request, f"{num_posts} posts show it.")

    @admin.action(description="Take off the list")
    def unblock(self, request: HttpRequest, rows: QuerySet) -> None:
        self.each(request, rows, lambda row: services.unblock_picture(row, moderator=request.user))


@admin.register(MediaReading)
class MediaReadingAdmin(ReadOnlyAdmin):
    list_display = ("pk", "nudity", "not_scored", "milliseconds", "created_at")
    list_filter = ("not_scored", "created_at")
    search_fields = ("=media__id", "=media__post__id")
