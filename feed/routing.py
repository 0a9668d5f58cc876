"""Which consumer answers which websocket."""

from django.urls import path

from feed.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live", LiveConsumer.as_asgi())]
