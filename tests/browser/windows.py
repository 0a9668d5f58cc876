"""What every browser test does with a window: sign a person in, keep a picture."""

import os
from pathlib import Path

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User

# Where screenshots of the run are kept for people to look at.
ARTEFACTS = Path(os.environ.get("XSOCIAL_ARTEFACTS", "test-artefacts"))


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page as it is."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def sign_in(page: Page, site: str, user: User) -> None:
    """Give the window a session of this person, as the log-in form would."""
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
