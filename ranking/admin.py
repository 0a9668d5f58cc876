"""The model registry: what serves, how good it was, and one action to change it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ranking import registry
from ranking.models import ModelVersion
from ranking.serving import artefacts
from xsocial.kernel.errors import ApplicationError

PLOT_TITLES = {
    "auc": "AUC of each head",
    "reliability": "Predicted against observed share of each head",
    "slices": "NDCG@10 in parts of the page loads",
    "loss": "Loss of the training",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    """Versions are made by training and never edited."""

    list_display = ("whole_name", "status", "ndcg", "auc", "created_at", "promoted_at")
    list_filter = ("kind", "status")
    search_fields = ("name",)
    actions = ("promote", "withdraw")
    fieldsets = (
        (None, {"fields": ("name", "kind", "status", "parent", "created_at", "promoted_at", "artefact_hash")}),
        (None, {"fields": ("plots",)}),
        *(
            (title, {"fields": (name,), "classes": ("collapse",)})
            for title, name in (
                ("Figures of the evaluation", "evaluation"),
                ("Figures of the training run", "figures"),
                ("How it was trained", "training_facts"),
                ("Configuration", "configuration"),
            )
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """Only the list's actions; a model itself is what training made."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    @admin.display(description="name", ordering="name")
    def whole_name(self, version: ModelVersion) -> SafeString:
        return format_html('<span class="nowrap">{}</span>', version.name)

    @admin.display(description="NDCG@10 / recall@500")
    def ndcg(self, version: ModelVersion) -> str:
        return _number(version.quality)

    @admin.display(description="AUC of likes")
    def auc(self, version: ModelVersion) -> str:
        return _number(version.metrics.get("heads", {}).get("favorite", {}).get("auc"))

    def get_urls(self) -> list[URLPattern]:
        plot = path("<int:pk>/plots/<slug:name>.png", self.admin_site.admin_view(self.plot), name="ranking_plot")
        return [plot, *super().get_urls()]

    def plot(self, request: HttpRequest, pk: int, name: str) -> FileResponse:
        """One picture of an evaluation, for staff who may see models."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion, pk=pk)
        picture = artefacts.plot(version, name) if name in PLOT_TITLES else None
        if picture is None:
            raise Http404
        return FileResponse(picture.open("rb"), content_type="image/png")

    @admin.display(description="Plots")
    def plots(self, version: ModelVersion) -> SafeString | str:
        drawn = [(name, title) for name, title in PLOT_TITLES.items() if artefacts.plot(version, name)]
        if not drawn:
            return "None yet: phoenix_evaluate draws them."
        rows: Sequence[tuple[str, str, str]] = [
            (reverse("admin:ranking_plot", args=[version.pk, name]), title, title) for name, title in drawn
        ]
        return format_html_join("", '<p><img src="{}" alt="{}" loading="lazy"><br>{}</p>', rows)

    @admin.display(description="Evaluated")
    def evaluation(self, version: ModelVersion) -> SafeString:
        return _pretty(artefacts.evaluation(version))

    @admin.display(description="Measured")
    def figures(self, version: ModelVersion) -> SafeString:
        return _pretty(version.metrics)

    @admin.display(description="Trained")
    def training_facts(self, version: ModelVersion) -> SafeString:
        return _pretty(version.training)

    @admin.display(description="Configuration")
    def configuration(self, version: ModelVersion) -> SafeString:
        return _pretty(version.config)

    @admin.action(description="Promote the selected model (one of a kind)", permissions=["change"])
    def promote(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        for version in chosen:
            try:
                registry.promote(version)
            except ApplicationError as error:
                self.message_user(request, error.message, messages.ERROR)
            else:
                self.message_user(request, f"{version.name} serves within ten seconds.")

    @admin.action(
        description="Withdraw the selected model (pages are in order of time without one)", permissions=["change"]
    )
    def withdraw(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        for version in chosen:
            if version.status != ModelVersion.Status.PROMOTED:
                self.message_user(request, f"{version.name} does not serve.", messages.ERROR)
                continue
            registry.withdraw(version.kind)
            self.message_user(request, f"{version.name} stops serving within ten seconds.")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _pretty(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=1))
