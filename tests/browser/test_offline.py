"""The site as an app: it can be installed, and without a connection a page of ours says so."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import live
from tests.browser.test_accessibility import broken_rules
from tests.browser.windows import sign_in
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KEPT = "caches.keys().then(names => Promise.all(names.map(n => caches.open(n).then(c => c.keys()))))"
ADDRESSES = f"{KEPT}.then(kept => kept.flat().map(request => new URL(request.url).pathname))"


@pytest.fixture
def app(chromium: Browser, tmp_path: Path):
    """A window that keeps what it is told, as people's own browsers do; private ones install nothing."""
    context: BrowserContext = chromium.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=live.find(chromium.browser_type.executable_path), headless=True
    )
    yield context.new_page()
    context.close()


@pytest.mark.django_db(transaction=True)
def test_installed_it_says_when_the_connection_is_gone_and_keeps_no_page(app: Page):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    PostFactory(author=author, text="For the reader alone", visibility="private")
    trouble: list[str] = []
    app.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    with live.site() as site:
        sign_in(app, site, reader)
        app.goto(f"{site}/following")
        app.evaluate("navigator.serviceWorker.ready.then(() => true)")
        devtools = app.context.new_cdp_session(app)
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        app.reload()
        app.goto(f"{site}/@author")
        app.goto(f"{site}/following")
        expect(app.get_by_text("For the reader alone")).to_be_visible()
        assert app.evaluate("navigator.serviceWorker.controller !== null")
        kept = app.evaluate(ADDRESSES)
        assert kept[0] == "/offline"
        assert all(address.startswith("/static/") for address in kept[1:])
        assert "reader" not in app.evaluate("caches.match('/offline').then(page => page.text())")
        assert trouble == []
    app.goto(f"{site}/notifications")
    expect(app.get_by_role("heading", name="You are offline")).to_be_visible()
    assert app.evaluate("getComputedStyle(document.querySelector('main')).display") == "grid"
    assert app.url == f"{site}/notifications"
    assert broken_rules(app) == []
