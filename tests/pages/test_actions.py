"""What buttons on a post do, with and without script."""

import pytest

from accounts.models import Block, Mute
from posts.models import Bookmark, Engagement, Post
from posts.types import EngagementKind, Surface
from tests.factories import PostFactory, UserFactory


@pytest.fixture
def post(author) -> Post:
    return PostFactory(author=author, text="A post worth a button")


def count(kind: EngagementKind) -> int:
    return Engagement.objects.filter(kind=kind).count()


def test_like_answers_with_the_button_and_undoes_itself(script, post):
    liked = script(f"/posts/{post.pk}/like", {"surface": "2"})
    assert 'aria-pressed="true"' in liked.content.decode()
    assert Engagement.objects.get(kind=EngagementKind.FAVORITE).surface == Surface.HOME_FOLLOWING
    unliked = script(f"/posts/{post.pk}/unlike")
    assert 'aria-pressed="false"' in unliked.content.decode()
    assert count(EngagementKind.FAVORITE) == 0


def test_without_script_a_button_goes_back_to_its_page(web, post):
    answer = web.post(f"/posts/{post.pk}/bookmark", {"next": "/following"})
    assert (answer.status_code, answer["Location"]) == (302, "/following")
    assert Bookmark.objects.filter(post=post).exists()


def test_next_never_leaves_the_site(web, post):
    assert web.post(f"/posts/{post.pk}/like", {"next": "https://example.com/"})["Location"] == "/"


def test_repost_offers_its_undo(script, post, reader):
    answer = script(f"/posts/{post.pk}/repost")
    assert f"/posts/{post.pk}/unrepost" in answer["HX-Trigger"]
    assert Post.objects.filter(author=reader, repost_of=post, deleted_at=None).count() == 1
    script(f"/posts/{post.pk}/unrepost")
    assert not Post.objects.filter(author=reader, repost_of=post, deleted_at=None).exists()


def test_block_from_a_post_hides_its_author(script, web, post, reader, author):
    answer = script(f"/posts/{post.pk}/block", {"surface": "1", "request_id": "77"})
    assert "is blocked" in answer.content.decode()
    assert Block.objects.filter(blocker=reader, blocked=author).exists()
    assert Engagement.objects.get(kind=EngagementKind.BLOCK_AUTHOR).request_id == 77
    assert "A post worth a button" not in web.get("/following").content.decode()


def test_mute_and_not_interested_are_logged(script, post, reader, author):
    script(f"/posts/{post.pk}/not-interested")
    script(f"/posts/{post.pk}/mute")
    assert count(EngagementKind.NOT_INTERESTED) == count(EngagementKind.MUTE_AUTHOR) == 1
    assert Mute.objects.filter(muter=reader, muted=author).exists()


def test_script_logs_clicks_of_known_kinds_only(web, post):
    assert web.post(f"/posts/{post.pk}/log", {"kind": "click", "surface": "1"}).status_code == 204
    assert web.post(f"/posts/{post.pk}/log", {"kind": "report"}).status_code == 422
    assert web.post(f"/posts/{post.pk}/log", {"kind": "click", "request_id": "x"}).status_code == 422
    assert count(EngagementKind.CLICK) == 1


@pytest.mark.parametrize("verb", ["like", "repost", "bookmark", "not-interested", "mute", "block", "log"])
def test_actions_need_an_account_and_a_post_one_may_open(verb, visitor, script, post):
    assert visitor.post(f"/posts/{post.pk}/{verb}").status_code == 403
    hidden = PostFactory(author=UserFactory(is_locked=True), text="For followers")
    assert script(f"/posts/{hidden.pk}/{verb}", {"kind": "click"}).status_code == 404
    assert script(f"/posts/{2**62}/{verb}", {"kind": "click"}).status_code == 404
    assert Engagement.objects.count() == 0


def test_actions_refuse_get(web, post):
    assert web.get(f"/posts/{post.pk}/like").status_code == 405


def test_only_the_author_deletes_and_is_asked_first(web, script, reader, post):
    mine = PostFactory(author=reader, text="Mine to delete")
    assert "cannot be brought back" in web.get(f"/posts/{mine.pk}/delete").content.decode()
    assert script(f"/posts/{mine.pk}/delete").status_code == 200
    assert web.get(f"/@reader/{mine.pk}").status_code == 404
    assert script(f"/posts/{post.pk}/delete").status_code == 403


def test_menu_differs_for_ones_own_post(web, post, reader):
    mine = PostFactory(author=reader)
    others = web.get(f"/@author/{post.pk}/menu").content.decode()
    own = web.get(f"/@reader/{mine.pk}/menu").content.decode()
    assert "Report" in others
    assert "Delete" not in others
    assert "Delete" in own
    assert "Report" not in own
