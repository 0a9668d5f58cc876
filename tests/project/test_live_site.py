"""The fixtures of the browser tests themselves: the whole site in a real browser."""


def test_a_browser_reads_from_the_test_database(page, live_site: str):
    answer = page.goto(f"{live_site}/readyz")
    assert answer.status == 200
    assert answer.headers["x-request-id"]


def test_pages_come_with_the_strict_policy_and_static_files(page, live_site: str):
    answer = page.goto(f"{live_site}/accounts/login/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    styles = page.locator("link[rel=stylesheet]").evaluate_all("links => links.map(link => link.sheet !== null)")
    assert styles
    assert all(styles)
