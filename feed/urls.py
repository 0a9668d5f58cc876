"""Addresses of the feed pages."""

from django.urls import path

from feed.views import about, ads, aside, export, following, for_you, reach, receipts, signals, similar, tuning

app_name = "feed"
urlpatterns = [
    path("", for_you.home, name="home"),
    path("topics/<slug:slug>", for_you.topic, name="topic"),
    path("following", following.following, name="following"),
    path("why/<id:request_id>", receipts.page, name="page_receipt"),
    path("why/<id:request_id>/left-out/<str:rule>", receipts.left_out, name="left_out"),
    path("why/<id:request_id>/<id:post_id>", receipts.why, name="why"),
    path("posts/<id:post_id>/similar", similar.similar, name="similar"),
    path("settings/feed/tune", tuning.tune, name="tune"),
    path("settings/feed/tune/preview", tuning.preview, name="tune_preview"),
    path("settings/feed/tune/reset", tuning.reset, name="tune_reset"),
    path("settings/feed/tune/file", tuning.export, name="tune_file"),
    path("settings/feed/tune/import", tuning.read, name="tune_import"),
    path("settings/account/export", export.export, name="export"),
    path("settings/reach", reach.reach, name="reach"),
    path("settings/signals", signals.signals, name="signals"),
    path("settings/signals/<str:kind>/<id:pk>/withdraw", signals.withdraw, name="withdraw_signal"),
    path("ads/seen", ads.seen, name="ad_seen"),
    path("ads/open", ads.opened, name="ad_open"),
    path("ads/hide", ads.hide, name="ad_hide"),
    path("aside", aside.aside, name="aside"),
    path("about/feed", about.feed, name="about"),
    path("about/shortcuts", about.shortcuts, name="shortcuts"),
]
