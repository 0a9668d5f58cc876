"""Lists of people by keyboard alone: from a profile to a list, to its timeline, and off it again."""

import pytest
from playwright.sync_api import Page, expect

from accounts import selectors
from tests.browser.test_accessibility import broken_rules
from tests.browser.windows import sign_in
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_list_is_made_filled_read_and_emptied_by_keyboard(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    PostFactory(author=author, text="Among the few")
    sign_in(page, live_site, reader)

    page.goto(f"{live_site}/following")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(f"{live_site}/lists")
    page.get_by_label("Name of a new list").focus()
    page.keyboard.type("Harbour")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()
    [harbour] = selectors.own_lists(reader)

    page.goto(f"{live_site}/@author")
    page.get_by_label("More about Author").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Put on a list")).to_be_focused()
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name="Harbour")
    expect(box).to_be_visible()
    assert broken_rules(page) == []
    box.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved")).to_be_visible()
    expect(box).not_to_be_visible()
    assert selectors.lists_with(reader, author) == [harbour]

    page.goto(f"{live_site}/lists/{harbour.pk}")
    expect(page.get_by_text("Among the few")).to_be_visible()
    page.get_by_role("link", name="People on this list").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take Author off the list").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody yet.")).to_be_visible()
    expect(page.get_by_text("@author is off the list.")).to_be_visible()
    assert selectors.lists_with(reader, author) == []
