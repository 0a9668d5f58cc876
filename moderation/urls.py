"""Addresses of reporting, appealing and moderating."""

from django.urls import path

from moderation import views

app_name = "moderation"
urlpatterns = [
    path("posts/<id:post_id>/report", views.report_post, name="report_post"),
    path("posts/<id:post_id>/labels", views.post_labels, name="post_labels"),
    path("labels/<id:label_id>/appeal", views.appeal_label, name="appeal"),
    path("moderation/dashboard", views.dashboard, name="dashboard"),
    path("moderation", views.queue, name="queue"),
    path("@<str:username>/report", views.report_account, name="report_account"),
]
