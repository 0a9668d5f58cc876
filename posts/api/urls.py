"""Routes of posts under /api/v1/ and /api/v2/."""

from posts.api import markers, media, notifications, polls, scheduled, search, views
from xsocial.kernel.rest.routes import route

urlpatterns = [
    route("statuses", views.StatusesView),
    route("statuses/<int:pk>", views.StatusView, name="api-status"),
    route("statuses/<int:pk>/context", views.StatusContextView),
    route("statuses/<int:pk>/source", views.StatusSourceView),
    route("statuses/<int:pk>/history", views.StatusHistoryView),
    route("statuses/<int:pk>/favourite", views.FavouriteView),
    route("statuses/<int:pk>/unfavourite", views.UnfavouriteView),
    route("statuses/<int:pk>/reblog", views.ReblogView),
    route("statuses/<int:pk>/unreblog", views.UnreblogView),
    route("statuses/<int:pk>/bookmark", views.BookmarkView),
    route("statuses/<int:pk>/unbookmark", views.UnbookmarkView),
    route("statuses/<int:pk>/pin", views.PinView),
    route("statuses/<int:pk>/unpin", views.UnpinView),
    route("statuses/<int:pk>/favourited_by", views.FavouritedByView),
    route("statuses/<int:pk>/reblogged_by", views.RebloggedByView),
    route("polls/<int:pk>", polls.PollView),
    route("polls/<int:pk>/votes", polls.PollVotesView),
    route("scheduled_statuses", scheduled.ScheduledStatusesView),
    route("scheduled_statuses/<int:pk>", scheduled.ScheduledStatusView),
    route("accounts/<int:pk>/statuses", views.AccountStatusesView),
    route("favourites", views.FavouritesView),
    route("bookmarks", views.BookmarksView),
    route("media", media.MediaUploadView),
    route("media/<int:pk>", media.MediaView),
    route("markers", markers.MarkersView),
    route("notifications", notifications.NotificationsView),
    route("notifications/clear", notifications.NotificationsClearView),
    route("notifications/unread_count", notifications.NotificationsUnreadView),
    route("notifications/<int:pk>", notifications.NotificationView),
    route("notifications/<int:pk>/dismiss", notifications.NotificationDismissView),
    route("trends", search.TrendingTagsView),
    route("trends/tags", search.TrendingTagsView),
]

v2_urlpatterns = [
    route("media", media.MediaUploadView, name="api-media-upload"),
    route("notifications", notifications.GroupedNotificationsView),
    route("notifications/unread_count", notifications.NotificationGroupsUnreadView),
    route("notifications/<str:key>", notifications.NotificationGroupView),
    route("notifications/<str:key>/accounts", notifications.NotificationGroupAccountsView),
    route("notifications/<str:key>/dismiss", notifications.NotificationGroupDismissView),
    route("search", search.SearchView),
]
