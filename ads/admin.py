"""Advertising in the admin: set up, review and watch. Money and deliveries are read-only."""

from decimal import Decimal

from django import forms
from django.contrib import admin
from django.db import models

from ads import services
from ads.models import Advertiser, Campaign, CampaignDay, Creative, Delivery, HiddenAdvertiser, LedgerEntry
from ads.types import MICROS, CampaignStatus, ReviewState

# A web address typed without a scheme means https.
HTTPS_BY_DEFAULT = {models.URLField: {"assume_scheme": "https"}}


class MoneyField(forms.DecimalField):
    """Money as people write it; stored in millionths."""

    def __init__(self, **options):
        super().__init__(**{"min_value": 0, "max_digits": 15, "decimal_places": 6, **options})

    def prepare_value(self, value):
        return f"{Decimal(value) / MICROS:f}" if isinstance(value, int) else value

    def has_changed(self, initial, data):
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value):
        amount = super().clean(value)
        return None if amount is None else int(amount * MICROS)


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
    list_display = ["name", "owner", "review_state", "balance", "currency", "created_at"]
    list_filter = ["review_state", "currency"]
    list_editable = ["review_state"]
    search_fields = ["name", "owner__username"]
    raw_id_fields = ["owner"]
    readonly_fields = ["balance", "created_at"]

    @admin.display(description="Balance", ordering="balance_micros")
    def balance(self, advertiser):
        return money(advertiser.balance_micros)


class CreativeInline(admin.StackedInline):
    model = Creative
    formfield_overrides = HTTPS_BY_DEFAULT
    extra = 0
    raw_id_fields = ["post"]
    readonly_fields = ["impressions", "clicks", "hides"]


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
    list_display = ["name", "advertiser", "status", "review_state", "bid", "daily_budget", "spent", "starts_at"]
    list_filter = ["status", "review_state", "objective", "bid_type"]
    list_select_related = ["advertiser"]
    search_fields = ["name", "advertiser__name"]
    autocomplete_fields = ["advertiser"]
    filter_horizontal = ["topics"]
    readonly_fields = ["spent", "created_at"]
    inlines = [CreativeInline, CampaignDayInline]
    actions = ["approve", "reject", "pause", "resume"]

    def formfield_for_dbfield(self, db_field, request, **options):
        if not db_field.name.endswith("_micros"):
            return super().formfield_for_dbfield(db_field, request, **options)
        label = db_field.verbose_name.removesuffix(" micros").capitalize()
        return MoneyField(label=label, help_text=db_field.help_text, required=not db_field.blank)

    @admin.display(description="Bid", ordering="max_bid_micros")
    def bid(self, campaign):
        return f"{money(campaign.max_bid_micros)} {campaign.bid_type.upper()}"

    @admin.display(description="Daily budget", ordering="daily_budget_micros")
    def daily_budget(self, campaign):
        return money(campaign.daily_budget_micros)

    @admin.display(description="Spent", ordering="spent_micros")
    def spent(self, campaign):
        return money(campaign.spent_micros)

    @admin.action(description="Approve selected campaigns and their creatives")
    def approve(self, request, queryset):
        for campaign in queryset:
            services.review_campaign(campaign=campaign, state=ReviewState.APPROVED)

    @admin.action(description="Reject selected campaigns and their creatives")
    def reject(self, request, queryset):
        for campaign in queryset:
            services.review_campaign(campaign=campaign, state=ReviewState.REJECTED)

    @admin.action(description="Pause selected campaigns")
    def pause(self, request, queryset):
        self._set_status(queryset, CampaignStatus.PAUSED)

    @admin.action(description="Resume selected campaigns")
    def resume(self, request, queryset):
        self._set_status(queryset, CampaignStatus.ACTIVE)

    def _set_status(self, queryset, status):
        for campaign in queryset.exclude(status=CampaignStatus.ENDED):
            services.set_campaign_status(campaign=campaign, status=status)


@admin.register(Creative)
class CreativeAdmin(admin.ModelAdmin):
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
