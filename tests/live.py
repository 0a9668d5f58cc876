"""A real browser and a real server for tests of pages: Chromium by Playwright, uvicorn in a thread."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.db import connections
from playwright.sync_api import Browser, Route, sync_playwright

from feed import live

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def browser() -> Iterator[Browser]:
    """One headless Chromium; skips where there is none, unless XSOCIAL_REQUIRE_BROWSER is set."""
    # Playwright's blocking API runs an event loop in this thread, which Django would object to.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        path = find(playwright.chromium.executable_path)
        if path is None:
            _give_up()
        instance = playwright.chromium.launch(executable_path=path, headless=True)
        yield instance
        instance.close()


def find(bundled: str) -> str | None:
    """The browser named by XSOCIAL_CHROMIUM, else the system's, else Playwright's own."""
    named = os.environ.get("XSOCIAL_CHROMIUM")
    installed = (shutil.which(name) for name in NAMES)
    own = bundled if Path(bundled).is_file() else None
    return named or next(filter(None, installed), own)


def _give_up() -> None:
    if os.environ.get("XSOCIAL_REQUIRE_BROWSER"):
        pytest.fail("no Chromium, and XSOCIAL_REQUIRE_BROWSER is set")
    pytest.skip("no Chromium")


def stay_at_home(route: Route) -> None:
    """Let requests to this machine through and refuse all others."""
    host = route.request.url.split("/")[2].rsplit(":", 1)[0]
    if host in {"127.0.0.1", "localhost"}:
        route.continue_()
    else:
        route.abort()


@contextmanager
def site(application: Any = None) -> Iterator[str]:
    """The whole ASGI application, websockets too, or another, on a free port; yields its address.

    At the end nothing of it is left that could ask the database between tests.
    """
    if application is None:
        from xsocial.asgi import application

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="site")
        thread.start()
        _wait_until_started(server)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
    for page in live.audience.everybody():  # whose sockets ended with the server
        live.audience.leave(page)
    live.live_tail.stop()
    live.stream_tail.stop()
    connections.close_all()


def _wait_until_started(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the test server did not start"
        time.sleep(0.02)
