"""What an installed site shows without a connection: one page and its looks, kept by a service worker."""

import hashlib

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control

LOOKS = ("css/tokens.css", "css/base.css", "css/components.css", "css/pages.css", "img/favicon.svg")


def offline(request: HttpRequest) -> HttpResponse:
    """The page itself; it knows nobody."""
    return render(None, "offline.html")


@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Its scope is the folder it is served from, hence not among the static files."""
    shell = orjson.dumps([reverse("offline"), *map(static, LOOKS)]).decode()
    context = {"shell": shell, "cache": f"shell-{hashlib.sha256(shell.encode()).hexdigest()[:12]}"}
    return render(None, "service-worker.js", context, content_type="text/javascript")
