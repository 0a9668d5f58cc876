"""Which consumer answers which websocket, and which addresses stream."""

from django.urls import path, re_path

from feed.consumers import LiveConsumer
from feed.streaming import sse
from feed.streaming.socket import StreamingConsumer

#: With the session's cookies: only for pages of this site.
websocket_urlpatterns = [path("ws/live", LiveConsumer.as_asgi())]
#: With a token: for every client.
token_websocket_urlpatterns = [re_path(r"^api/v1/streaming/?$", StreamingConsumer.as_asgi())]
# `health` is an ordinary page of the API.
http_urlpatterns = [re_path(r"^api/v1/streaming/(?P<name>(?!health)[\w:/]*\w)/?$", sse.application)]
