"""Tuning by keyboard alone: the preview follows every change, is announced, and breaks no axe rule."""

import pytest
from playwright.sync_api import Page, expect

from feed import tuning
from tests.browser.test_accessibility import COLOURS_ONLY, broken_rules
from tests.browser.windows import keep, sign_in
from tests.factories import FollowFactory, PostFactory, UserFactory
from tests.feed.conftest import models as models  # the stand-in for the models

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_change_by_keyboard_previews_and_saves(page: Page, live_site: str, models, settings, width: int):
    settings.GROX_HOLD_UNSCREENED = False
    reader = UserFactory(username="reader")
    near = []
    for number in range(4):
        author = UserFactory()
        FollowFactory(follower=reader, followee=author)
        near.append(PostFactory(author=author, text=f"From near {number}").pk)
        models.found.append(PostFactory(author=UserFactory(), text=f"From afar {number}").pk)
    models.liking = dict.fromkeys(near, 0.2) | dict.fromkeys(models.found, 0.8)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_site, reader)
    page.goto(live_site)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{live_site}/settings/feed/tune")
    summary = page.get_by_role("status").filter(has_text="last page")
    expect(summary).to_have_text("Your last page would have been the same.")
    strangers = page.get_by_label("People I do not follow")
    strangers.focus()
    page.keyboard.press("Home")
    expect(summary).to_contain_text("Of the posts of your last page")
    expect(page.locator("#result-strangers")).to_have_text("Their posts come last")
    assert page.evaluate("document.activeElement.id") == "id_strangers"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lines = page.locator(".tune__table tbody tr")
    assert ["From afar" in line for line in lines.all_inner_texts()] == [False] * 4 + [True] * 4
    keep(page, f"tune-{width}")
    broken = broken_rules(page)
    page.emulate_media(color_scheme="dark")
    broken += broken_rules(page, options=COLOURS_ONLY)
    assert broken == []
    for _ in range(2):  # over what one would object to, to the button
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Saved.").wait_for()
    assert tuning.of(reader).multipliers == {"strangers": 0.0}
    assert errors == []
