"""Routes of posts under /api/v1/ and /api/v2/."""

from posts.api import views
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
    route("statuses/<int:pk>/favourited_by", views.FavouritedByView),
    route("statuses/<int:pk>/reblogged_by", views.RebloggedByView),
    route("polls/<int:pk>", views.PollView),
    route("polls/<int:pk>/votes", views.PollVotesView),
    route("scheduled_statuses", views.ScheduledStatusesView),
    route("scheduled_statuses/<int:pk>", views.ScheduledStatusView),
    route("accounts/<int:pk>/statuses", views.AccountStatusesView),
    route("favourites", views.FavouritesView),
    route("bookmarks", views.BookmarksView),
    route("media", views.MediaUploadView),
    route("media/<int:pk>", views.MediaView),
    route("notifications", views.NotificationsView),
    route("notifications/clear", views.NotificationsClearView),
    route("notifications/unread_count", views.NotificationsUnreadView),
    route("trends", views.TrendingTagsView),
    route("trends/tags", views.TrendingTagsView),
]

v2_urlpatterns = [
    route("media", views.MediaUploadView, name="api-media-upload"),
    route("search", views.SearchView),
]
