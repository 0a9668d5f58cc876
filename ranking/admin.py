"""The model registry: what serves, how good it was, and one action to change it."""

from __future__ import annotations

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ranking import registry
from ranking.models import ModelVersion
from xsocial.kernel.errors import ApplicationError


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    """Versions are made by training and never edited."""

    list_display = ("name", "kind", "status", "ndcg", "auc", "created_at", "promoted_at", "parent")
    list_filter = ("kind", "status")
    list_select_related = ("parent",)
    search_fields = ("name",)
    actions = ("promote",)
    fields = (
        "name",
        "kind",
        "status",
        "parent",
        "created_at",
        "promoted_at",
        "artefact_hash",
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


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _pretty(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=1))
