"""The pages that explain a feed, by keyboard alone and against the axe rules."""

import pytest
from playwright.sync_api import Page

from accounts import services as accounts
from feed.models import Receipt
from tests.browser.test_accessibility import broken_rules, violations
from tests.browser.windows import sign_in
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has the focus reads so."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if text in page.evaluate("document.activeElement.innerText || ''"):
            return
    raise AssertionError(f"{text!r} cannot be reached with the Tab key")


def test_from_why_this_post_to_hearing_a_muted_word_again_without_a_mouse(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    shown = PostFactory(author=author, text="Shown")
    PostFactory(author=author, text="More drizzle tonight")
    accounts.add_muted_keyword(user=reader, phrase="drizzle")
    sign_in(page, live_site, reader)
    page.goto(live_site)
    request_id = Receipt.objects.get(viewer=reader).pk
    why = f"{live_site}/why/{request_id}/{shown.pk}"
    page.goto(why)
    tab_to(page, "The record")
    page.keyboard.press("Enter")
    assert page.locator("details[open] pre.json").is_visible()
    broken = broken_rules(page)
    page.goto(why)
    tab_to(page, "What was left out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/why/{request_id}")
    broken += broken_rules(page)
    tab_to(page, "Has a word you muted")
    page.keyboard.press("Enter")
    page.wait_for_url("**/left-out/MutedKeywordFilter")
    tab_to(page, "Unmute “drizzle”")
    page.keyboard.press("Enter")
    page.get_by_text("not muted any more").wait_for()
    assert not reader.muted_keywords.exists()
    broken += broken_rules(page) + violations(page, f"{live_site}/settings/signals")
    assert broken == []
