"""What the composer offers beside words, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from posts.models import Post, ScheduledPost
from tests.browser.windows import sign_in
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_post_for_later_from_the_sheet(page: Page, live_site: str):
    sign_in(page, live_site, UserFactory(username="robin"))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_site}/compose")
    expect(page.get_by_label("When, UTC")).to_be_hidden()
    page.get_by_label("Your post").fill("See you then")
    page.get_by_label("Post later").check(force=True)
    page.get_by_label("When, UTC").fill("2029-03-02T12:30")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("2 March 2029, 12:30 UTC")).to_be_visible()
    page.get_by_role("button", name="Cancel this post").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert not ScheduledPost.objects.exists()
    assert not Post.objects.exists()
