"""A signed-in reader with a small circle around them."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import FollowFactory, PostFactory, UserFactory


@pytest.fixture
def reader(db) -> User:
    return UserFactory(username="reader")


@pytest.fixture
def author(reader: User) -> User:
    """Somebody the reader follows."""
    person = UserFactory(username="author")
    FollowFactory(follower=reader, followee=person)
    return person


@pytest.fixture
def web(client: Client, reader: User) -> Client:
    """The reader's browser."""
    client.force_login(reader)
    return client


@pytest.fixture
def visitor() -> Client:
    """Somebody without an account."""
    return Client()


HTMX = {"HX-Request": "true"}


@pytest.fixture
def script(web: Client):
    """POSTs as the page's own script does."""
    return lambda url, data=None: web.post(url, data or {}, headers=HTMX)


@pytest.fixture
def make_posts(author: User):
    """Posts of every shape by the followed author."""

    def make(count: int) -> list:
        posts = [PostFactory(author=author) for _ in range(count)]
        PostFactory(author=author, quote_of=posts[0], text="Look at this")
        PostFactory(author=author, in_reply_to=posts[0], text="And another thing")
        return posts

    return make
