"""Pinning on the pages: from a post's menu to the top of the profile."""

import pytest

from posts import services
from tests.factories import PostFactory


@pytest.fixture
def mine(reader):
    return [PostFactory(author=reader, text=f"Thought {n}") for n in range(3)]


def profile(web, reader) -> str:
    return web.get(f"/@{reader.username}").content.decode()


def test_the_menu_pins_and_unpins(web, reader, mine):
    menu = f"/@{reader.username}/{mine[0].pk}/menu"
    assert "Pin to your profile" in web.get(menu).content.decode()
    answer = web.post(f"/posts/{mine[0].pk}/pin", {"next": "/"}, follow=True)
    assert "Pinned to your profile" in answer.content.decode()
    assert "Unpin from your profile" in web.get(menu).content.decode()
    web.post(f"/posts/{mine[0].pk}/unpin")
    assert "Pin to your profile" in web.get(menu).content.decode()


def test_a_pinned_post_stands_first_and_only_there(web, reader, mine, client):
    services.pin(user=reader, post=mine[0])
    page = profile(web, reader)
    places = [page.index(f'id="post-{post.pk}"') for post in (mine[0], mine[2], mine[1])]
    assert places == sorted(places)
    assert page.count(f'id="post-{mine[0].pk}"') == page.count("</svg>Pinned<") == 1
    assert "Pinned<" not in web.get(f"/@{reader.username}/with_replies").content.decode()
    client.logout()
    assert "Pinned<" in client.get(f"/@{reader.username}").content.decode()


def test_a_profile_with_pinned_posts_alone_is_not_called_empty(web, reader, mine):
    for post in mine:
        services.pin(user=reader, post=post)
    assert "No posts yet" not in profile(web, reader)


def test_others_posts_have_no_such_button(web, author):
    post = PostFactory(author=author)
    assert "Pin to your profile" not in web.get(f"/@{author.username}/{post.pk}/menu").content.decode()
    assert web.post(f"/posts/{post.pk}/pin").status_code == 403


def test_pinned_posts_cost_queries_that_do_not_grow(web, reader, mine, django_assert_max_num_queries):
    services.pin(user=reader, post=mine[0])
    profile(web, reader)
    with django_assert_max_num_queries(16):
        profile(web, reader)
    for post in mine[1:]:
        services.pin(user=reader, post=post)
    with django_assert_max_num_queries(16):
        profile(web, reader)
