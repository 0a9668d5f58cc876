"""Similar posts below a conversation, by keyboard, and under the accessibility rules."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.windows import keep, sign_in
from tests.factories import UserFactory
from tests.feed.test_similar import near

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_similar_posts_are_reached_and_opened_by_keyboard(page: Page, live_site: str):
    this = near(1.0, text="Sourdough needs patience")
    other = near(0.9, text="My starter is a week old and smells of apples")
    near(0.8, text="A crust that sings when it cools")
    sign_in(page, live_site, UserFactory())
    page.goto(f"{live_site}/@{this.author.username}/{this.pk}")
    expect(page.get_by_role("heading", name="Similar posts")).to_be_visible()
    expect(page.get_by_text("smells of apples")).to_be_visible()
    keep(page, "similar-posts")
    assert Axe().run(page).response["violations"] == []
    for _ in range(2):  # the post itself, then the first below it
        page.keyboard.press("j")
    assert page.evaluate("document.activeElement.dataset.post") == str(other.pk)
    page.keyboard.press("o")
    page.wait_for_url(f"**/@{other.author.username}/{other.pk}")
