"""Pages cost the same number of queries for three posts as for fifteen, and no more than pinned."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import User
from posts.types import PollDraft
from tests.factories import FollowFactory, MediaFactory, PostFactory, UserFactory

# Session, user and unread badge belong to each. Raise one only with a reason.
PINNED = {"/following": 14, "/@author": 20, "/search?q=worth": 14, "/bookmarks": 14}


def queries(web, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert web.get(path).status_code == 200
    return len(seen)


@pytest.fixture
def fill(author: User, reader: User, script):
    """More posts of every shape, liked and bookmarked, with a conversation under the first."""

    def more(count: int):
        for _ in range(count):
            post = PostFactory(author=author, text="Something worth a look", media=[MediaFactory(owner=author)])
            PostFactory(author=author, text="worth quoting", quote_of=post)
            PostFactory(author=author, text="worth adding", in_reply_to=post)
            script(f"/posts/{post.pk}/bookmark")
            script(f"/posts/{post.pk}/repost")
        return post

    return more


@pytest.mark.parametrize("path", PINNED)
def test_lists(path, web, fill):
    fill(2)
    web.get(path)
    few = queries(web, path)
    fill(4)
    assert queries(web, path) == few
    assert few <= PINNED[path]


def test_a_list_and_its_people(web, reader, author, fill):
    close = accounts.create_list(owner=reader, title="Close")

    def cost() -> list[int]:
        return [queries(web, path) for path in ("/lists", f"/lists/{close.pk}", f"/lists/{close.pk}/people")]

    def add(person: User) -> None:
        accounts.add_to_list(people_list=close, user_ids=[person.pk])

    add(author)
    fill(2)
    cost()
    few = cost()
    fill(3)
    for _ in range(6):
        add(FollowFactory(follower=reader).followee)
    assert cost() == few
    assert all(count <= most for count, most in zip(few, (6, 15, 8), strict=True))


def test_polls_cost_one_query_a_page(web, author):
    PostFactory(author=author)
    web.get("/following")
    few = queries(web, "/following")
    for count in (1, 5):
        for _ in range(count):
            PostFactory(author=author, poll=PollDraft(("yes", "no"), 600))
        assert queries(web, "/following") == few + 1


def test_thread(web, author):
    root = PostFactory(author=author)
    PostFactory(author=UserFactory(), in_reply_to=root)
    path = f"/@author/{root.pk}"
    few = queries(web, path)
    for _ in range(6):
        PostFactory(author=UserFactory(), in_reply_to=PostFactory(author=author, in_reply_to=root))
    assert queries(web, path) == few <= 18


def test_notifications(web, reader):
    PostFactory(author=UserFactory(), text="@reader hello")
    web.get("/notifications")
    few = queries(web, "/notifications")
    for _ in range(6):
        PostFactory(author=UserFactory(), text="@reader hello again")
    web.get("/notifications")
    assert queries(web, "/notifications") <= few + 1 <= 24
