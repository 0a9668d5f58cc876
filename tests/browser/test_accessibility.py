"""Every kind of page against the axe rules; those with the most colours in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.windows import sign_in
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FOR_EVERYONE = ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")
FOR_MEMBERS = (
    "/", "/following", "/compose", "/search?q=post", "/notifications", "/bookmarks", "/welcome", "/follow_requests",
    "/@author", "/@author/followers", "/settings", "/settings/profile", "/settings/feed", "/settings/filters",
    "/settings/account", "/about/feed", "/about/shortcuts", "/@nobody",
)  # fmt: skip


def violations(page: Page, address: str) -> list[str]:
    """What axe finds on this page, one line for each rule broken."""
    page.goto(address)
    found = Axe().run(page).response["violations"]
    return [f"{address}: {broken['id']}: {broken['nodes'][0]['html'][:160]}" for broken in found]


COLOURFUL = ("/following", "/settings/feed", "/notifications")


def test_no_page_breaks_an_accessibility_rule(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    post = PostFactory(author=author, text="A post for @reader about https://example.com/ and #birds")
    broken = [line for path in FOR_EVERYONE for line in violations(page, live_site + path)]
    sign_in(page, live_site, reader)
    thread = f"/@author/{post.pk}"
    broken += [line for path in (*FOR_MEMBERS, thread) for line in violations(page, live_site + path)]
    page.emulate_media(color_scheme="dark")
    broken += [line for path in (*COLOURFUL, thread) for line in violations(page, live_site + path)]
    assert broken == []
