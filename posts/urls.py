"""Addresses of the post pages."""

from django.urls import path

from posts.views import actions, compose, feeds, impressions, lists, notifications, profiles, scheduled, search, threads

app_name = "posts"
urlpatterns = [
    path("compose", compose.compose, name="compose"),
    path("scheduled", scheduled.scheduled, name="scheduled"),
    path("scheduled/<id:scheduled_id>/edit", scheduled.edit, name="edit_scheduled"),
    path("scheduled/<id:scheduled_id>/cancel", scheduled.cancel, name="cancel_scheduled"),
    path("notifications", notifications.notifications, name="notifications"),
    path("bookmarks", lists.bookmarks, name="bookmarks"),
    path("search", search.search, name="search"),
    path("lists/<id:list_id>", lists.people_list, name="people_list"),
    path("tags/<str:name>.rss", feeds.TagFeed(), name="tag_feed"),
    path("tags/<str:name>", lists.tag, name="tag"),
    path("impressions", impressions.impressions, name="impressions"),
    path("posts/<id:post_id>/like", actions.like, name="like"),
    path("posts/<id:post_id>/unlike", actions.unlike, name="unlike"),
    path("posts/<id:post_id>/repost", actions.repost, name="repost"),
    path("posts/<id:post_id>/unrepost", actions.unrepost, name="unrepost"),
    path("posts/<id:post_id>/bookmark", actions.bookmark, name="bookmark"),
    path("posts/<id:post_id>/unbookmark", actions.unbookmark, name="unbookmark"),
    path("posts/<id:post_id>/pin", actions.pin, name="pin"),
    path("posts/<id:post_id>/unpin", actions.unpin, name="unpin"),
    path("posts/<id:post_id>/not-interested", actions.not_interested, name="not_interested"),
    path("posts/<id:post_id>/mute", actions.mute_author, name="mute_author"),
    path("posts/<id:post_id>/block", actions.block_author, name="block_author"),
    path("posts/<id:post_id>/vote", actions.vote, name="vote"),
    path("posts/<id:post_id>/log", actions.log, name="log"),
    path("posts/<id:post_id>/card", actions.card, name="card"),
    path("posts/<id:post_id>/edit", compose.edit, name="edit"),
    path("posts/<id:post_id>/delete", actions.delete, name="delete"),
    path("@<str:username>.rss", feeds.ProfileFeed(), name="profile_feed"),
    path("@<str:username>", profiles.profile, name="profile"),
    path("@<str:username>/with_replies", profiles.profile, {"tab": "replies"}, name="profile_replies"),
    path("@<str:username>/media", profiles.profile, {"tab": "media"}, name="profile_media"),
    path("@<str:username>/followers", profiles.followers, name="followers"),
    path("@<str:username>/following", profiles.following, name="following"),
    path("@<str:username>/<id:post_id>", threads.thread, name="thread"),
    path("@<str:username>/<id:post_id>/history", threads.history, name="history"),
    path("@<str:username>/<id:post_id>/menu", actions.menu, name="menu"),
]
