"""Addresses of the account pages."""

from django.urls import path

from accounts.views import people_lists, relations, settings, welcome

app_name = "people"
urlpatterns = [
    path("settings", settings.overview, name="settings"),
    path("settings/profile", settings.profile, name="settings_profile"),
    path("settings/region", settings.region, name="settings_region"),
    path("settings/feed", settings.feed, name="settings_feed"),
    path("settings/filters", settings.filters, name="settings_filters"),
    path("settings/keywords/<id:keyword_id>/remove", settings.remove_keyword, name="remove_keyword"),
    path("settings/apps", settings.apps, name="settings_apps"),
    path("settings/apps/<id:application_id>/sign-out", settings.sign_out_app, name="sign_out_app"),
    path("settings/account", settings.account, name="settings_account"),
    path("settings/account/close", settings.close, name="close_account"),
    path("settings/account/pause", settings.deactivate, name="deactivate"),
    path("settings/account/resume", settings.reactivate, name="reactivate"),
    path("topics/<slug:slug>/follow", settings.set_topic, {"wish": "follow"}, name="follow_topic"),
    path("topics/<slug:slug>/snooze", settings.set_topic, {"wish": "snooze"}, name="snooze_topic"),
    path("topics/<slug:slug>/forget", settings.set_topic, {"wish": "forget"}, name="forget_topic"),
    path("welcome", welcome.welcome, name="welcome"),
    path("packs/<slug:slug>/follow", welcome.follow_pack, name="follow_pack"),
    path("lists", people_lists.lists, name="lists"),
    path("lists/<id:list_id>/edit", people_lists.edit, name="edit_list"),
    path("lists/<id:list_id>/delete", people_lists.delete, name="delete_list"),
    path("lists/<id:list_id>/people", people_lists.people, name="list_people"),
    path("lists/<id:list_id>/people/<str:username>/add", people_lists.put, name="list_add"),
    path("lists/<id:list_id>/people/<str:username>/remove", people_lists.take_off, name="list_remove"),
    path("@<str:username>/lists", people_lists.lists_of, name="lists_of"),
    path("follow_requests", relations.follow_requests, name="follow_requests"),
    path("follow_requests/<str:username>/accept", relations.answer_request, {"answer": "accept"}, name="accept"),
    path("follow_requests/<str:username>/reject", relations.answer_request, {"answer": "reject"}, name="reject"),
    path("@<str:username>/follow", relations.follow, name="follow"),
    path("@<str:username>/unfollow", relations.unfollow, name="unfollow"),
    path("@<str:username>/subscribe", relations.subscribe, name="subscribe"),
    path("@<str:username>/unsubscribe", relations.unsubscribe, name="unsubscribe"),
    path("@<str:username>/mute", relations.mute, name="mute"),
    path("@<str:username>/unmute", relations.unmute, name="unmute"),
    path("@<str:username>/block", relations.block, name="block"),
    path("@<str:username>/unblock", relations.unblock, name="unblock"),
    path("@<str:username>/remove-follower", relations.remove_follower, name="remove_follower"),
]
