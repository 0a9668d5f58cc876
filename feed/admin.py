"""The feed in the admin: weights, parameters, prompts, and what was decided with them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from feed import weights
from feed.forms import FeatureParameterForm, WeightSetForm
from feed.home_mixer import params
from feed.models import (
    FeatureParameter,
    LoadSettings,
    PolicyExclusion,
    Prompt,
    Receipt,
    ReceiptLook,
    ServedHistory,
    WeightChange,
    WeightSet,
)
from xsocial.kernel.errors import Invalid

BY_HAND = "from the admin"


@admin.register(WeightSet)
class WeightSetAdmin(admin.ModelAdmin):
    """Sets never change. Make a new one, then activate it: the next page load uses it."""

    list_display = ["number", "name", "is_in_force", "created_by", "created_at", "note"]
    form = WeightSetForm
    actions = ["activate"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new set begins as what is in force."""
        return dict(weights.in_force().weights)

    def get_fields(self, request: HttpRequest, obj: WeightSet | None = None) -> list[str]:
        """A number for each action while it is made, a table once it exists."""
        return ["name", "note", "table", "created_by", "created_at"] if obj else ["name", "note", *params.HEADS]

    def get_readonly_fields(self, request: HttpRequest, obj: WeightSet | None = None) -> list[str]:
        """Everything, once it exists."""
        return self.get_fields(request, obj) if obj else []

    @admin.display(description="weights")
    def table(self, obj: WeightSet) -> SafeString:
        """Each weight beside the published one."""
        rows = [
            (head, obj.weights.get(head, published), "" if obj.weights.get(head, published) == published else published)
            for head, published in params.PUBLISHED_WEIGHTS.items()
        ]
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        return format_html("<table><tr><th>Action</th><th>Weight</th><th>Published</th></tr>{}</table>", body)

    def has_change_permission(self, request: HttpRequest, obj: WeightSet | None = None) -> bool:
        """Only the list's action; a set itself is immutable."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: WeightSet | None = None) -> bool:
        """Receipts refer to it for ever."""
        return False

    def save_model(self, request: HttpRequest, obj: WeightSet, form: Any, change: bool) -> None:
        """Remember who made it."""
        obj.created_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(boolean=True, description="in force")
    def is_in_force(self, obj: WeightSet) -> bool:
        """Whether page loads use it now."""
        return weights.in_force().number == obj.number

    @admin.action(description="Put this set in force", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[WeightSet]) -> None:
        """Append one row to the activation log."""
        if queryset.count() != 1:
            self.message_user(request, "Choose exactly one set.", messages.ERROR)
            return
        chosen = queryset.get()
        weights.activate(weight_set=chosen, reason=chosen.note or BY_HAND, actor=request.user)
        self.message_user(request, f"Set {chosen} is in force from the next page load.")


class LookOnly(admin.ModelAdmin):
    """Rows that are written by the system alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one."""
        return False


@admin.register(WeightChange)
class WeightChangeAdmin(LookOnly):
    """What was in force when. The chain column shows rows that do not follow from the ones before."""

    list_display = ["id", "what", "actor", "reason", "created_at", "is_sound"]
    list_select_related = ["weight_set", "actor"]

    @admin.display(boolean=True, description="chain")
    def is_sound(self, obj: WeightChange) -> bool:
        """Whether the row's digest follows from its content."""
        return obj.digest == obj.computed_digest()


@admin.register(FeatureParameter)
class FeatureParameterAdmin(admin.ModelAdmin):
    """Live values. Deleting a row restores the default."""

    list_display = ["name", "value", "default", "updated_by", "updated_at", "note"]
    form = FeatureParameterForm
    fields = ["name", "value", "note"]

    @admin.display
    def default(self, obj: FeatureParameter) -> str:
        """The published default and its source."""
        known = {name: (value, about.where) for name, _, value, about in params.parameters()}
        value, source = known.get(obj.name, ("unknown", "-"))
        return f"{value} [{source}]"

    def get_readonly_fields(self, request: HttpRequest, obj: FeatureParameter | None = None) -> list[str]:
        """The name is which row it is."""
        return ["name"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """One more: switching the profile."""
        switch = path(
            "use-profile/<str:name>/",
            self.admin_site.admin_view(require_POST(self.use_profile)),
            name="feed_featureparameter_profile",
        )
        return [switch, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list with a button for each profile of sizes, and below it every parameter there is."""
        now = weights.params_in_force()
        profiles = [{"name": name, "is_in_force": name == now.profile} for name in params.PROFILES]
        known = [
            {"name": name, "in_force": json.dumps(getattr(now, name)), "published": json.dumps(default), "about": about}
            for name, _, default, about in params.parameters()
        ]
        about = {"title": "Feature parameters", "profiles": profiles, "known": known}
        return super().changelist_view(request, {**(extra_context or {}), **about})

    def use_profile(self, request: HttpRequest, name: str) -> HttpResponse:
        """Switch the sizes of every page from now on, in one click."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            weights.set_profile(name, actor=request.user)
            self.message_user(request, f"Profile {name} is in force from the next page load.")
        except Invalid as error:
            self.message_user(request, str(error), messages.ERROR)
        return redirect("admin:feed_featureparameter_changelist")

    def save_model(self, request: HttpRequest, obj: FeatureParameter, form: Any, change: bool) -> None:
        """Through the log of changes."""
        weights.set_parameter(obj.name, obj.value, reason=obj.note or BY_HAND, actor=request.user)

    def delete_model(self, request: HttpRequest, obj: FeatureParameter) -> None:
        """Through the log of changes."""
        weights.reset_parameter(obj.name, reason=BY_HAND, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[FeatureParameter]) -> None:
        """Each through the log of changes."""
        for parameter in queryset:
            self.delete_model(request, parameter)


@admin.register(PolicyExclusion)
class PolicyExclusionAdmin(admin.ModelAdmin):
    """Accounts kept out of recommendations by an outside rule; an end date is better than none."""

    list_display = ["account", "reason", "country_code", "starts_at", "ends_at", "created_by"]
    list_filter = ["country_code"]
    search_fields = ["account__username", "reason"]
    raw_id_fields = ["account"]

    def save_model(self, request: HttpRequest, obj: PolicyExclusion, form: Any, change: bool) -> None:
        """Remember who listed it."""
        obj.created_by = obj.created_by or request.user
        super().save_model(request, obj, form, change)


@admin.register(Prompt)
class PromptAdmin(admin.ModelAdmin):
    list_display = ["title", "kind", "position", "is_active", "starts_at", "ends_at"]
    list_editable = ["position", "is_active"]


@admin.register(Receipt)
class ReceiptAdmin(LookOnly):
    """That a page was loaded, and when; what it showed is behind a look that is logged."""

    list_display = ["request_id", "viewer", "settings", "created_at"]
    list_select_related = ["viewer", "settings"]
    show_full_result_count = False
    raw_id_fields = ["viewer"]
    fields = ["request_id", "viewer", "settings", "created_at", "content"]
    readonly_fields = fields

    @admin.display
    def content(self, obj: Receipt) -> str:
        """Where a reason is asked for."""
        return format_html('<a href="{}">Look, with a reason</a>', reverse("feed:page_receipt", args=[obj.pk]))


@admin.register(ReceiptLook)
class ReceiptLookAdmin(LookOnly):
    list_display = ["created_at", "actor", "viewer", "request_id", "reason"]
    list_select_related = ["actor", "viewer"]


@admin.register(LoadSettings)
class LoadSettingsAdmin(LookOnly):
    """Weights, parameters, build and model that many page loads have in common."""

    list_display = ["digest", "created_at"]


@admin.register(ServedHistory)
class ServedHistoryAdmin(LookOnly):
    list_display = ["user", "served_at", "platform", "request_type", "request_id"]
    raw_id_fields = ["user"]
