"""Advertising in the admin: set up, review and watch. Money and deliveries are read-only."""

from django.contrib import admin, messages
from django.db import models

from ads import selectors, services
from ads.forms import AdvertiserForm, CampaignForm, CreativeForm
from ads.models import Advertiser, Campaign, CampaignDay, Creative, Delivery, HiddenAdvertiser, LedgerEntry
from ads.types import MICROS, CampaignStatus, ReviewState
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid

# A web address typed without a scheme means https.
HTTPS_BY_DEFAULT = {models.URLField: {"assume_scheme": "https"}}


def money(micros: int | None) -> str:
    return "" if micros is None else f"{micros / MICROS:,.2f}"


class ReadOnlyAdmin(admin.ModelAdmin):
    """A table that is looked at only."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Advertiser)
class AdvertiserAdmin(admin.ModelAdmin):
    form = AdvertiserForm
    list_display = ["name", "owner", "review_state", "balance", "currency", "created_at"]
    list_filter = ["review_state", "currency"]
    list_editable = ["review_state"]
    search_fields = ["name", "owner__username"]
    raw_id_fields = ["owner"]
    readonly_fields = ["balance", "created_at"]

    def save_model(self, request, obj, form, change):
        """Money goes through the ledger, also that of a new advertiser."""
        super().save_model(request, obj, form, change)
        if deposit := form.cleaned_data.get("deposit"):
            services.deposit(advertiser=obj, amount_micros=deposit, note=f"entered by {request.user.username}")

    @admin.display(description="Balance", ordering="balance_micros")
    def balance(self, advertiser):
        return money(advertiser.balance_micros)


class CreativeInline(admin.StackedInline):
    model = Creative
    form = CreativeForm
    formfield_overrides = HTTPS_BY_DEFAULT
    extra = 0
    raw_id_fields = ["post"]
    readonly_fields = ["impressions", "clicks", "hides", "created_at"]


class CampaignDayInline(admin.TabularInline):
    model = CampaignDay
    extra = 0
    can_delete = False
    readonly_fields = ["day", "impressions", "clicks", "hides", "spent"]
    fields = readonly_fields
    ordering = ["-day"]

    def has_add_permission(self, request, obj=None):
        return False

    @admin.display(description="Spent")
    def spent(self, day):
        return money(day.spent_micros)


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    form = CampaignForm
    list_display = [
        "name",
        "advertiser",
        "on_air",
        "bid",
        "daily_budget",
        "total_budget",
        "spent",
        "starts_at",
        "ends_at",
    ]
    list_filter = ["status", "review_state", "objective", "bid_type"]
    list_select_related = ["advertiser__owner"]
    search_fields = ["name", "advertiser__name"]
    autocomplete_fields = ["advertiser"]
    filter_horizontal = ["topics"]
    readonly_fields = ["on_air", "spent", "created_at"]
    fieldsets = [
        (None, {"fields": ["advertiser", "name", "objective", ("status", "review_state"), "on_air"]}),
        (
            "Money",
            {"fields": ["bid_type", "max_bid_micros", "daily_budget_micros", "total_budget_micros", "pacing", "spent"]},
        ),
        ("When", {"fields": ["starts_at", "ends_at", "created_at"]}),
        ("Whom", {"fields": ["countries", "languages", "topics", "frequency_cap", "frequency_window"]}),
    ]
    inlines = [CreativeInline, CampaignDayInline]
    actions = ["approve", "reject", "pause", "resume"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("creatives", "days")

    @admin.display(description="On air")
    def on_air(self, campaign):
        """Yes, or what stands in the way."""
        if not campaign.advertiser_id:
            return "not yet"
        return ", ".join(selectors.silent_because(campaign, clock.now())) or "yes"

    @admin.display(description="Bid", ordering="max_bid_micros")
    def bid(self, campaign):
        return f"{money(campaign.max_bid_micros)} {campaign.bid_type.upper()}"

    @admin.display(description="Daily budget", ordering="daily_budget_micros")
    def daily_budget(self, campaign):
        return money(campaign.daily_budget_micros)

    @admin.display(description="Total budget", ordering="total_budget_micros")
    def total_budget(self, campaign):
        return money(campaign.total_budget_micros)

    @admin.display(description="Spent", ordering="spent_micros")
    def spent(self, campaign):
        return money(campaign.spent_micros)

    @admin.action(description="Approve selected campaigns and their creatives", permissions=["change"])
    def approve(self, request, queryset):
        self._review(request, queryset, ReviewState.APPROVED)

    @admin.action(description="Reject selected campaigns and their creatives", permissions=["change"])
    def reject(self, request, queryset):
        self._review(request, queryset, ReviewState.REJECTED)

    @admin.action(description="Pause selected campaigns", permissions=["change"])
    def pause(self, request, queryset):
        self._set_status(request, queryset, CampaignStatus.PAUSED)

    @admin.action(description="Resume selected campaigns", permissions=["change"])
    def resume(self, request, queryset):
        self._set_status(request, queryset, CampaignStatus.ACTIVE)

    def _review(self, request, queryset, state):
        for campaign in queryset:
            services.review_campaign(campaign=campaign, state=state)
        self.message_user(request, f"{len(queryset)} {state}.")

    def _set_status(self, request, queryset, status):
        for campaign in queryset:
            try:
                services.set_campaign_status(campaign=campaign, status=status)
            except Invalid as error:
                self.message_user(request, f"{campaign}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{campaign} is {status}.")


@admin.register(Creative)
class CreativeAdmin(admin.ModelAdmin):
    form = CreativeForm
    formfield_overrides = HTTPS_BY_DEFAULT
    list_display = ["__str__", "campaign", "review_state", "adjacency_risk", "impressions", "clicks", "hides"]
    list_filter = ["review_state", "adjacency_risk"]
    list_editable = ["review_state"]
    list_select_related = ["campaign"]
    search_fields = ["headline", "text", "campaign__name"]
    autocomplete_fields = ["campaign"]
    raw_id_fields = ["post"]
    readonly_fields = ["impressions", "clicks", "hides", "created_at"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "campaign", "creative", "viewer", "price"]
    list_filter = ["kind"]
    list_select_related = ["campaign", "creative", "viewer"]
    search_fields = ["campaign__name", "=impression_id", "=request_id"]
    date_hierarchy = "created_at"

    @admin.display(description="Price", ordering="price_micros")
    def price(self, delivery):
        return f"{delivery.price_micros / MICROS:.6f}"


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "advertiser", "kind", "amount", "note"]
    list_filter = ["kind"]
    list_select_related = ["advertiser"]
    search_fields = ["advertiser__name"]

    @admin.display(description="Amount", ordering="amount_micros")
    def amount(self, entry):
        return f"{entry.amount_micros / MICROS:,.6f}"


@admin.register(HiddenAdvertiser)
class HiddenAdvertiserAdmin(admin.ModelAdmin):
    list_display = ["viewer", "advertiser", "created_at"]
    list_select_related = ["viewer", "advertiser"]
    raw_id_fields = ["viewer", "advertiser"]
