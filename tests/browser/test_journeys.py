"""The site in a real browser, from sign-up to a block, and news in an open page."""

import pytest
from playwright.sync_api import Page, expect

from posts import services as posts
from posts.models import Engagement, Post
from posts.types import EngagementKind
from tests.browser.windows import keep, sign_in
from tests.factories import FollowFactory, MediaFactory, PostFactory, UserFactory
from xsocial.kernel.event_log import relay

pytestmark = [
    pytest.mark.browser,
    # Static files are read by blocking code, which Django's ASGI handler mentions.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    # A browser that leaves a page drops its requests; the server's open files then end unread.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# Phone, tablet, desk.
WIDTHS = (390, 820, 1440)


def listen_for_trouble(page: Page) -> list[str]:
    """Messages of the console and uncaught errors; a page should leave none."""
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    return trouble


def test_sign_up_post_like_block(page: Page, live_site: str):
    trouble = listen_for_trouble(page)
    friend = UserFactory(username="friend")
    theirs = PostFactory(author=friend, text="Hello from a friend")

    page.goto(f"{live_site}/accounts/signup/")
    page.get_by_label("Email").fill("robin@example.com")
    page.get_by_label("Username").fill("robin")
    page.get_by_label("Password", exact=True).fill("a-long-enough-secret")
    page.get_by_label("The same password again").fill("a-long-enough-secret")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(f"{live_site}/welcome")
    expect(page.get_by_role("link", name="Notifications").first).to_be_visible()

    page.goto(f"{live_site}/following")
    page.keyboard.press("n")
    page.get_by_label("Your post").fill("My first words #hello")
    page.locator("#sheet").get_by_role("button", name="Post").click()
    expect(page.locator("article", has_text="My first words")).to_be_visible()
    assert Post.objects.filter(author__username="robin", text="My first words #hello").exists()

    page.goto(f"{live_site}/@friend/{theirs.pk}")
    like = page.locator(f"#post-{theirs.pk}").get_by_role("button", name="Like")
    like.click()
    expect(page.locator(f"#post-{theirs.pk} .action--like")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#post-{theirs.pk} .action--like")).to_contain_text("1")

    page.get_by_role("link", name="More about this post").click()
    page.get_by_role("menuitem", name="Block @friend").click()
    expect(page.get_by_text("@friend is blocked.")).to_be_visible()
    assert Engagement.objects.filter(kind=EngagementKind.BLOCK_AUTHOR, post=theirs).exists()
    page.goto(f"{live_site}/@friend")
    expect(page.get_by_text("You blocked this account")).to_be_visible()
    assert trouble == []


def test_a_new_post_shows_as_pill_and_leaves_when_deleted(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    PostFactory(author=author, text="An older post")
    relay.relay_batch()
    sign_in(page, live_site, reader)
    page.goto(f"{live_site}/following")
    expect(page.locator("body[data-live=open]")).to_be_attached()

    post = PostFactory(author=author, text="Fresh from the press")
    relay.relay_batch()
    pill = page.locator(".pill")
    expect(pill).to_have_text("A1 new", timeout=2000)
    expect(page.get_by_text("Fresh from the press")).to_have_count(0)
    keep(page, "pill")
    pill.click()
    expect(page.get_by_text("Fresh from the press")).to_be_visible()
    expect(page.locator("body[data-live=open]")).to_be_attached()

    posts.delete_post(actor=author, post=post)
    relay.relay_batch()
    expect(page.get_by_text("Fresh from the press")).to_have_count(0, timeout=2000)


def test_posts_seen_for_a_second_are_impressions(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    post = PostFactory(author=author, text="Look at me")
    sign_in(page, live_site, reader)
    page.goto(f"{live_site}/following")
    with page.expect_request("**/impressions", timeout=10_000) as sent:
        page.wait_for_timeout(1500)
    assert str(post.pk) in sent.value.post_data
    assert sent.value.response().status == 204


def test_nothing_sticks_out_sideways(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    post = PostFactory(author=author, text="wide " + "x" * 200 + " https://example.com/" + "y" * 200)
    sign_in(page, live_site, reader)
    for path in (f"/@author/{post.pk}", "/@author", "/settings/feed", "/notifications", "/following", "/compose"):
        page.goto(live_site + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
    for width in WIDTHS:
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            keep(page, f"following-{width}-{theme}")


def test_undo_and_pictures_leave_the_page_where_it_is(page: Page, live_site: str):
    reader, author = UserFactory(username="reader"), UserFactory(username="author")
    FollowFactory(follower=reader, followee=author)
    post = PostFactory(
        author=author,
        text="Two views",
        media=[MediaFactory(owner=author, alt_text="Hills"), MediaFactory(owner=author)],
    )
    sign_in(page, live_site, reader)
    page.goto(f"{live_site}/following")
    page.evaluate("window.isTheSamePage = true")

    bookmark = page.locator(f"#post-{post.pk} .action--bookmark")
    bookmark.click()
    expect(bookmark).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Undo").click()
    expect(bookmark).to_have_attribute("aria-pressed", "false")
    bookmark.click()  # the new button works too
    expect(bookmark).to_have_attribute("aria-pressed", "true")

    page.get_by_role("link", name="Hills").click()
    viewer = page.locator(".viewer")
    expect(viewer.get_by_text("Hills")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_text("Hills")).to_be_hidden()
    expect(viewer.get_by_role("button", name="Next picture")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.evaluate("window.isTheSamePage")


def test_on_a_phone_an_empty_search_offers_what_stands_beside_pages_on_a_desk(page: Page, live_site: str):
    for text in ("A wren again #birds", "Two robins in the hedge #birds", "Owls call all night #birds"):
        posts.create_post(author=UserFactory(), text=text)
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, live_site, UserFactory())
    page.goto(f"{live_site}/search")
    page.get_by_role("link", name="#birds").click()
    page.wait_for_url("**/tags/birds")
