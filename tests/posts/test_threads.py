"""Conversations: order, depth, holes, bounds."""

import pytest

from accounts import services as accounts
from posts import selectors, services
from tests.factories import PostFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_thread_reads_from_the_root_down_and_depth_first(django_assert_max_num_queries):
    root = PostFactory()
    middle = PostFactory(in_reply_to=root)
    post = PostFactory(in_reply_to=middle)
    first = PostFactory(in_reply_to=post)
    second = PostFactory(in_reply_to=post)
    below_first = PostFactory(in_reply_to=first)
    PostFactory(in_reply_to=root)
    with django_assert_max_num_queries(14):
        thread = selectors.thread(None, post)
    assert thread.ancestors == [root, middle]
    assert thread.descendants == [first, below_first, second]
    assert thread.depths == {first.pk: 1, below_first.pk: 2, second.pk: 1}


def test_hidden_and_deleted_posts_leave_their_answers_standing():
    viewer, root = UserFactory(), PostFactory()
    gone, hidden = PostFactory(in_reply_to=root), PostFactory(in_reply_to=root)
    answers = [PostFactory(in_reply_to=gone), PostFactory(in_reply_to=hidden)]
    services.delete_post(actor=gone.author, post=gone)
    accounts.block(blocker=hidden.author, blocked=viewer)
    assert selectors.thread(viewer, root).descendants == answers
    around = selectors.conversation(root.pk)
    assert around.below == [gone.pk, answers[0].pk, hidden.pk, answers[1].pk]
    assert selectors.gone(around.below) == {gone.pk}
    assert selectors.thread(viewer, answers[0]).ancestors == [root]


def test_a_long_thread_is_bounded(monkeypatch):
    monkeypatch.setattr("posts.selectors.threads.MAX_DESCENDANTS", 3)
    monkeypatch.setattr("posts.selectors.threads.MAX_DEPTH", 2)
    root = PostFactory()
    chain = [PostFactory(in_reply_to=root)]
    chain += [PostFactory(in_reply_to=chain[0])]
    chain += [PostFactory(in_reply_to=chain[1])]
    assert selectors.thread(None, root).descendants == chain[:2]
    for _ in range(3):
        PostFactory(in_reply_to=root)
    assert len(selectors.thread(None, root).descendants) == 3
