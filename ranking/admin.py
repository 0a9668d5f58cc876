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

    list_display = ("name", "kind", "status", "ndcg", "auc", "created_at", "promoted_at", "parent")
    list_filter = ("kind", "status")
    list_select_related = ("parent",)
    search_fields = ("name",)
    actions = ("promote", "withdraw")
    fields = (
        "name",
        "kind",
        "status",
        "parent",
        "created_at",
        "promoted_at",
        "artefact_hash",
        "plots",
        "evaluation",
        "figures",
        "training_facts",
        "configuration",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    @admin.display(description="NDCG@10 / recall@500")
    def ndcg(self, version: ModelVersion) -> str:
        pages = version.metrics.get("pages", {}).get("phoenix", {})
        return _number(pages.get("ndcg@10", version.metrics.get("recall@500")))

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

    @admin.action(description="Promote the selected model (one of a kind)")
    def promote(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        for version in chosen:
            try:
                registry.promote(version)
            except ApplicationError as error:
                self.message_user(request, error.message, messages.ERROR)
            else:
                self.message_user(request, f"{version.name} serves within ten seconds.")

    @admin.action(description="Withdraw the selected model (pages are in order of time without one)")
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
