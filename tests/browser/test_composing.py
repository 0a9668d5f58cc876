"""What the composer offers beside words, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from posts.models import Ballot, Post, ScheduledPost
from tests.browser.windows import keep, sign_in
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_poll_by_keyboard(page: Page, live_site: str):
    asking, voting = UserFactory(username="robin"), UserFactory(username="wren")
    sign_in(page, live_site, asking)
    page.goto(f"{live_site}/compose")
    expect(page.get_by_label("Option 1")).to_be_hidden()
    page.get_by_label("Your post").fill("Tea or coffee?")
    page.get_by_label("Add a poll").check(force=True)
    page.get_by_label("Option 1").fill("Tea")
    page.get_by_label("Option 2").fill("Coffee")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("0 people voted")).to_be_visible()
    post = Post.objects.get()

    page.context.clear_cookies()
    sign_in(page, live_site, voting)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_site}/@robin/{post.pk}")
    poll = page.get_by_role("group", name="Poll, choose one")
    poll.get_by_role("radio", name="Tea").focus()
    page.keyboard.press("ArrowDown")
    expect(poll.get_by_role("radio", name="Coffee")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="Coffee")).to_contain_text("100%, 1 vote")
    expect(page.get_by_text("1 person voted")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert list(Ballot.objects.values_list("voter_id", "choices")) == [(voting.pk, [1])]
    keep(page, "poll-390")


def test_a_post_for_later_from_the_sheet(page: Page, live_site: str):
    sign_in(page, live_site, UserFactory(username="robin"))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_site}/compose")
    expect(page.get_by_label("When, UTC")).to_be_hidden()
    page.get_by_label("Your post").fill("See you then")
    page.get_by_label("Post later").check(force=True)
    page.get_by_label("When, UTC").fill("2029-03-02T12:30")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    widths = page.locator(".composer__tools .icon-button").evaluate_all("all => all.map(one => one.offsetWidth)")
    assert min(widths) >= 36, "a thumb misses what is narrower"
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("2 March 2029, 12:30 UTC")).to_be_visible()
    page.get_by_role("button", name="Cancel this post").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert not ScheduledPost.objects.exists()
    assert not Post.objects.exists()
