"""Addresses of the feed pages."""

from django.urls import path

from feed.views import about, following

app_name = "feed"
urlpatterns = [
    path("", following.explore, name="home"),
    path("following", following.following, name="following"),
    path("about/feed", about.feed, name="about"),
    path("about/shortcuts", about.shortcuts, name="shortcuts"),
]
