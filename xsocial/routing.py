"""Which connection goes where: pages and API to Django, streams and websockets beside it."""

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.handlers.asgi import ASGIHandler
from django.urls import re_path

from feed.routing import http_urlpatterns, token_websocket_urlpatterns, websocket_urlpatterns


def routed(pages: ASGIHandler) -> ProtocolTypeRouter:
    """The whole site around Django's part of it."""
    # A page of another site must not open a socket with this site's cookies; streams ask for a token instead.
    of_this_site = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
    return ProtocolTypeRouter(
        {
            "http": URLRouter([*http_urlpatterns, re_path("", pages)]),
            "websocket": URLRouter([*token_websocket_urlpatterns, re_path("", of_this_site)]),
        }
    )
