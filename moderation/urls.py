"""Addresses of reporting."""

from django.urls import path

from moderation import views

app_name = "moderation"
urlpatterns = [
    path("posts/<int:post_id>/report", views.report_post, name="report_post"),
    path("@<str:username>/report", views.report_account, name="report_account"),
]
