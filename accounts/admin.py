"""People and their graph in the admin."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.db.models import QuerySet

from accounts import services
from accounts.models import (
    Block,
    CreatorSubscription,
    FeedPreferences,
    Follow,
    FollowedTopic,
    FollowRequest,
    ListMembership,
    Mute,
    MutedKeyword,
    PeopleList,
    StarterPack,
    StarterPackFollow,
    Topic,
    User,
)
from xsocial.kernel.errors import ApplicationError


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = [
        "username",
        "display_name",
        "email",
        "followers_count",
        "posts_count",
        "is_staff",
        "suspended_at",
        "closes_at",
    ]
    list_filter = ["is_staff", "is_active", "is_locked", "is_bot", "is_demo", ("closes_at", admin.EmptyFieldListFilter)]
    search_fields = ["=username", "username", "display_name", "=email"]
    ordering = ["-id"]
    show_full_result_count = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    # Kept exact by the services; changing them here would make them wrong.
    counted = ("followers_count", "following_count", "posts_count", "last_login", "date_joined")
    readonly_fields = [*counted, "closes_at"]
    fieldsets = [
        (None, {"fields": ["username", "password", "email"]}),
        ("Profile", {"fields": ["display_name", "bio", "website", "location", "avatar", "header"]}),
        ("Declared", {"fields": ["language", "country_code", "time_zone", "birth_year", "gender"]}),
        ("Account", {"fields": ["is_locked", "is_bot", "offers_subscriptions", "is_demo", "is_adult_author"]}),
        ("Standing", {"fields": ["is_active", "suspended_at", "deactivated_at", "closes_at"]}),
        ("Rights", {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"], "classes": ["collapse"]}),
        ("Counters and times", {"fields": counted}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "email", "usable_password", "password1", "password2"]})]
    actions = ["take_closing_back", "erase_soon"]

    @admin.action(description="Take the closing back", permissions=["change"])
    def take_closing_back(self, request, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(closes_at__isnull=False):
            services.reactivate_account(user=user)
            self.log_change(request, user, "Took the closing back.")
            self.message_user(request, f"@{user.username} is no longer closed.")

    @admin.action(description="Erase closed accounts without waiting", permissions=["delete"])
    def erase_soon(self, request, queryset: QuerySet[User]) -> None:
        for user in queryset:
            try:
                services.hasten_closing(user=user)
            except ApplicationError as error:
                self.message_user(request, f"@{user.username}: {error.message}", messages.WARNING)
            else:
                self.log_change(request, user, "Hastened the closing.")
                self.message_user(request, f"@{user.username} is erased within ten minutes.")


class PairAdmin(admin.ModelAdmin):
    """Edges between two people, many of them: no counting, no drop-downs.

    Read-only: the services keep counters and the other edges in step, a form would not.
    """

    show_full_result_count = False
    ordering = ["-pk"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Follow)
class FollowAdmin(PairAdmin):
    list_display = ["follower", "followee", "shows_reposts", "notifies", "created_at"]
    list_select_related = ["follower", "followee"]
    search_fields = ["=follower__username", "=followee__username"]


@admin.register(FollowRequest)
class FollowRequestAdmin(PairAdmin):
    list_display = ["requester", "target", "created_at"]
    list_select_related = ["requester", "target"]
    search_fields = ["=requester__username", "=target__username"]


@admin.register(Block)
class BlockAdmin(PairAdmin):
    list_display = ["blocker", "blocked", "created_at"]
    list_select_related = ["blocker", "blocked"]
    search_fields = ["=blocker__username", "=blocked__username"]


@admin.register(Mute)
class MuteAdmin(admin.ModelAdmin):
    list_display = ["muter", "muted", "hides_notifications", "expires_at", "created_at"]
    list_select_related = ["muter", "muted"]
    search_fields = ["=muter__username", "=muted__username"]
    autocomplete_fields = ["muter", "muted"]
    show_full_result_count = False


@admin.register(PeopleList)
class PeopleListAdmin(PairAdmin):
    list_display = ["title", "owner", "replies_policy", "is_exclusive", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["=owner__username"]


@admin.register(ListMembership)
class ListMembershipAdmin(PairAdmin):
    list_display = ["people_list", "follow", "created_at"]
    list_select_related = ["people_list", "follow"]
    search_fields = ["=people_list__owner__username", "=follow__followee__username"]


@admin.register(CreatorSubscription)
class CreatorSubscriptionAdmin(admin.ModelAdmin):
    list_display = ["subscriber", "author", "expires_at", "created_at"]
    list_select_related = ["subscriber", "author"]
    search_fields = ["=subscriber__username", "=author__username"]
    autocomplete_fields = ["subscriber", "author"]


@admin.register(FeedPreferences)
class FeedPreferencesAdmin(admin.ModelAdmin):
    list_display = ["user", "allows_recommendations", "shows_unscreened", "shows_sensitive", "hides_videos"]
    list_select_related = ["user"]
    list_filter = ["allows_recommendations", "shows_sensitive"]
    search_fields = ["=user__username"]
    autocomplete_fields = ["user"]


@admin.register(MutedKeyword)
class MutedKeywordAdmin(admin.ModelAdmin):
    list_display = ["phrase", "user", "expires_at", "created_at"]
    list_select_related = ["user"]
    search_fields = ["phrase", "=user__username"]
    autocomplete_fields = ["user"]


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "parent", "position"]
    list_select_related = ["parent"]
    list_editable = ["position"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(FollowedTopic)
class FollowedTopicAdmin(admin.ModelAdmin):
    list_display = ["user", "topic", "is_snoozed", "created_at"]
    list_select_related = ["user", "topic"]
    list_filter = ["is_snoozed", "topic"]
    search_fields = ["=user__username"]
    autocomplete_fields = ["user", "topic"]
    show_full_result_count = False


@admin.register(StarterPack)
class StarterPackAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "creator", "position", "created_at"]
    list_select_related = ["creator"]
    list_editable = ["position"]
    search_fields = ["name", "slug"]
    autocomplete_fields = ["creator", "members"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(StarterPackFollow)
class StarterPackFollowAdmin(admin.ModelAdmin):
    list_display = ["user", "pack", "created_at"]
    list_select_related = ["user", "pack"]
    search_fields = ["=user__username", "pack__name"]
    autocomplete_fields = ["user", "pack"]
