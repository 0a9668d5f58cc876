"""Every kind of page against the axe rules; those with the most colours in both themes."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts import services as accounts
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
    "/", "/compose", "/search?q=post", "/bookmarks", "/welcome", "/follow_requests", "/@author",
    "/lists", "/lists/{0}", "/lists/{0}/edit", "/lists/{0}/people", "/@author/lists", "/@author/followers",
    "/settings", "/settings/feed/tune", "/settings/profile", "/settings/filters", "/settings/account",
    "/settings/region", "/settings/account/close", "/accounts/email/", "/accounts/password/change/", "/accounts/2fa/",
    "/accounts/sessions/", "/settings/apps",
    "/about/feed", "/about/shortcuts", "/@nobody",
)  # fmt: skip


# What fades or rises arrives: halfway a colour is none that anybody reads by.
AT_ONCE = """() => document.getAnimations()
  .filter((moving) => Number.isFinite(moving.effect.getComputedTiming().endTime))
  .forEach((moving) => moving.finish())"""
# All that another colour scheme changes.
COLOURS_ONLY = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, address: str) -> list[str]:
    """What axe finds on this page, one line for each rule broken."""
    page.goto(address)
    return broken_rules(page)


def broken_rules(page: Page, **options: Any) -> list[str]:
    """What axe finds on the page as it is, once all has arrived."""
    page.wait_for_load_state()  # with its styles: a page has two main navigations, of which they hide one
    page.evaluate(AT_ONCE)
    found = Axe().run(page, **options).response["violations"]
    return [f"{page.url}: {broken['id']}: {broken['nodes'][0]['html'][:160]}" for broken in found]


def violations_in_both_themes(page: Page, address: str) -> list[str]:
    """The same, and the colours in the dark."""
    broken = violations(page, address)
    page.emulate_media(color_scheme="dark")
    broken += broken_rules(page, options=COLOURS_ONLY)
    page.emulate_media(color_scheme="light")
    return broken


COLOURFUL = ("/following", "/settings/feed", "/notifications", "/@author/{}")


def test_no_page_breaks_an_accessibility_rule(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    close = accounts.create_list(owner=reader, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[author.pk])
    post = PostFactory(author=author, text="A post for @reader about https://example.com/ and #birds")
    broken = [line for path in FOR_EVERYONE for line in violations(page, live_site + path)]
    sign_in(page, live_site, reader)
    broken += [line for path in FOR_MEMBERS for line in violations(page, live_site + path.format(close.pk))]
    for path in COLOURFUL:
        broken += violations_in_both_themes(page, live_site + path.format(post.pk))
    assert broken == []
