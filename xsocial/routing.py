"""Which consumer answers which websocket."""

from feed.routing import websocket_urlpatterns

__all__ = ["websocket_urlpatterns"]
