"""Routes of people under /api/v1/."""

from accounts.api import people_lists, views
from xsocial.kernel.rest.routes import route

urlpatterns = [
    route("accounts/verify_credentials", views.VerifyCredentialsView),
    route("accounts/update_credentials", views.UpdateCredentialsView),
    route("accounts/lookup", views.LookupView),
    route("accounts/relationships", views.RelationshipsView),
    route("accounts/<int:pk>", views.AccountView, name="api-account"),
    route("accounts/<int:pk>/followers", views.FollowersView),
    route("accounts/<int:pk>/following", views.FollowingView),
    route("accounts/<int:pk>/follow", views.FollowView),
    route("accounts/<int:pk>/unfollow", views.UnfollowView),
    route("accounts/<int:pk>/remove_from_followers", views.RemoveFollowerView),
    route("accounts/<int:pk>/subscribe", views.SubscribeView),
    route("accounts/<int:pk>/unsubscribe", views.UnsubscribeView),
    route("accounts/<int:pk>/block", views.BlockView),
    route("accounts/<int:pk>/unblock", views.UnblockView),
    route("accounts/<int:pk>/mute", views.MuteView),
    route("accounts/<int:pk>/unmute", views.UnmuteView),
    route("accounts/<int:pk>/lists", people_lists.AccountListsView),
    route("lists", people_lists.ListsView),
    route("lists/<int:pk>", people_lists.ListView),
    route("lists/<int:pk>/accounts", people_lists.ListAccountsView),
    route("follow_requests", views.FollowRequestsView),
    route("follow_requests/<int:pk>/authorize", views.AuthorizeRequestView),
    route("follow_requests/<int:pk>/reject", views.RejectRequestView),
    route("blocks", views.BlocksView),
    route("mutes", views.MutesView),
    route("preferences", views.PreferencesView),
]

v2_urlpatterns = [
    route("suggestions", views.SuggestionsView),
    route("filters", views.FiltersView),
]
