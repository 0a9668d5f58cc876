"""Which consumer answers which websocket."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
