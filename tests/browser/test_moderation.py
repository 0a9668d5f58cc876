"""Due process in a real browser: label, notice, appeal, a granted appeal, and the rule that may not come back."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from moderation import selectors, services
from moderation.grox import run
from moderation.grox.classifiers import heads
from moderation.grox.payload import Stream
from moderation.models import PostAnnotation, ReviewDecision
from tests.browser.windows import keep, sign_in
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
INSULT = "You are a worthless idiot, go to hell"
LABEL, WORDS = "FOSNR_ABUSE_INSULTS", "Insults"
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}


def test_label_notice_appeal_grant_and_a_refused_return(page: Page, live_site: str):
    author, moderator = UserFactory(username="author"), ModeratorFactory(username="moderator")
    post = PostFactory(author=author, text=INSULT)
    run.analyze([post.pk], stream=Stream.EDITED)

    sign_in(page, live_site, author)
    page.goto(f"{live_site}/notifications")
    expect(page.locator(".notification", has_text="Moderation")).to_be_visible()
    page.goto(f"{live_site}/@author/{post.pk}")
    expect(page.get_by_role("status").filter(has_text="limited")).to_be_visible()
    page.get_by_role("link", name="Why, and appeal").click()
    section = page.locator("section", has=page.get_by_role("heading", name=WORDS))
    section.get_by_text("Which rule").click()
    expect(section.get_by_text("policy.HateOrAbuse.InsultsWithTarget")).to_be_visible()
    section.get_by_role("textbox").fill("It is a line from our play.")
    section.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("Open", exact=True)).to_be_visible()

    sign_in(page, live_site, moderator)
    page.goto(f"{live_site}/moderation?kind=appeals")
    page.locator(".case").get_by_role("checkbox").check()
    page.get_by_label("Note for the audit log").fill("It is one.")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()

    run.analyze([post.pk], stream=Stream.EDITED)
    assert LABEL not in selectors.labels_for([post.pk])[post.pk]
    sign_in(page, live_site, author)
    page.goto(f"{live_site}/posts/{post.pk}/labels")
    expect(page.get_by_role("heading", name=f"{WORDS} (no longer in force)")).to_be_visible()
    expect(page.get_by_text("Upheld", exact=True)).to_be_visible()


def a_fortnight_of_work() -> None:
    """Posts screened every day, their scores, and people's reports."""
    strangers = [UserFactory() for _ in range(3)]
    texts = (INSULT, "WIN a FREE phone now!!! Claim your prize", "I hate mondays", "Cheap followers, write me")
    posts = [PostFactory(text=text) for text in texts]
    run.analyze([post.pk for post in posts], stream=Stream.EDITED)
    head = heads.load("toxicity")
    for back in range(14):
        with clock.fixed(clock.now() - timedelta(days=back)):
            PostAnnotation.objects.bulk_create(
                PostAnnotation(
                    post=posts[number % 4],
                    plan="safety_ptos",
                    state="not_scored" if number % 9 == 0 else "done",
                    milliseconds=20 + 3 * ((back * 5) % 7),
                    versions={"toxicity": head.version},
                    result={"scores": {"toxicity.toxic": round(((number * 7) % 60) / 100, 2)}},
                )
                for number in range(40 + 5 * ((back * 3) % 8))
            )
    for number, (post, reason) in enumerate(zip(posts, ("abuse", "spam", "hate", "spam"), strict=True)):
        for reporter in strangers[: 3 - number % 3]:
            services.report(user=reporter, post=post, reason=reason, note="Again and again." if number == 1 else "")


def test_the_queue_is_worked_off_by_keys_alone(page: Page, live_site: str):
    moderator = ModeratorFactory(username="moderator")
    posts = [PostFactory(text=f"Case number {number}") for number in range(4)]
    for post in posts:
        services.report(user=UserFactory(), post=post, reason="abuse")
    sign_in(page, live_site, moderator)
    page.goto(f"{live_site}/moderation")
    assert Axe().run(page).response["violations"] == []
    texts = page.locator(".case__text").all_inner_texts()
    page.keyboard.press("s")  # neither a tick nor a current case: nothing to decide
    expect(page.get_by_text("Tick what you want")).to_be_visible()
    page.goto(f"{live_site}/moderation")
    for key in "jtjttn":
        page.keyboard.press(key)
    page.keyboard.type("a duck said it")  # letters of a note decide nothing
    page.get_by_label("Note for the audit log").press("Tab")
    page.keyboard.press("a")
    expect(page.locator(".case")).to_have_count(3)
    assert texts[0] not in page.locator(".case__text").all_inner_texts()
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("d")  # the current case, though it is not ticked
    expect(page.locator(".case")).to_have_count(2)
    page.get_by_label("All 2 shown").check()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert list(ReviewDecision.objects.filter(action="label_applied").values_list("note", flat=True)) == [
        "a duck said it"
    ]


def test_the_queue_and_the_dashboard_fit_every_screen(page: Page, live_site: str):
    moderator = ModeratorFactory(username="moderator")
    a_fortnight_of_work()
    sign_in(page, live_site, moderator)
    for name, path in (("queue", "/moderation"), ("dashboard", "/moderation/dashboard")):
        for size, theme in ((DESK, "light"), (PHONE, "dark")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme)
            page.goto(live_site + path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, size)
            keep(page, f"moderation-{name}-{theme}")
