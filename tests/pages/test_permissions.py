"""Who may see what, page by page. Every refusal has its permission beside it."""

import pytest

from accounts import services as accounts
from accounts.models import FollowRequest
from tests.factories import FollowFactory, PostFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_posts_of_a_locked_account_are_for_accepted_followers(web, reader, visitor):
    locked = UserFactory(username="locked", is_locked=True)
    post = PostFactory(author=locked, text="Among friends")
    assert web.get(f"/@locked/{post.pk}").status_code == 404
    profile = web.get("/@locked").content.decode()
    assert "These posts are protected" in profile
    assert "Among friends" not in profile
    web.post("/@locked/follow")
    assert FollowRequest.objects.filter(requester=reader, target=locked).exists()
    accounts.accept_follow(target=locked, requester=reader)
    assert "Among friends" in web.get(f"/@locked/{post.pk}").content.decode()
    assert "Among friends" in web.get("/@locked").content.decode()
    assert visitor.get(f"/@locked/{post.pk}").status_code == 404


def test_a_block_hides_both_from_each_other(web, reader, author, client):
    post = PostFactory(author=author, text="Before the block")
    assert web.get(f"/@author/{post.pk}").status_code == 200
    accounts.block(blocker=author, blocked=reader)
    assert web.get(f"/@author/{post.pk}").status_code == 404
    assert "You are blocked" in web.get("/@author").content.decode()
    assert "Before the block" not in web.get("/search?q=before").content.decode()


def test_subscriber_posts_are_for_subscribers(web, reader, author):
    assert web.post("/@author/subscribe").status_code == 403
    author = accounts.update_profile(user=author, offers_subscriptions=True)
    post = PostFactory(author=author, text="Thank you for paying", subscribers_only=True)
    assert web.get(f"/@author/{post.pk}").status_code == 404
    assert "Subscribe to" in web.get("/@author").content.decode()
    web.post("/@author/subscribe")
    assert "Thank you for paying" in web.get(f"/@author/{post.pk}").content.decode()
    web.post("/@author/unsubscribe")
    assert web.get(f"/@author/{post.pk}").status_code == 404


def test_direct_posts_are_for_those_named(web, reader, author, visitor):
    named = PostFactory(author=author, text="@reader between us", visibility="direct")
    other = PostFactory(author=author, text="to somebody else", visibility="direct")
    assert web.get(f"/@author/{named.pk}").status_code == 200
    assert web.get(f"/@author/{other.pk}").status_code == 404
    assert visitor.get(f"/@author/{named.pk}").status_code == 404


def test_a_quote_of_what_one_may_not_see_stays_closed(web, author):
    other = UserFactory(username="other")
    quoted = PostFactory(author=other, text="Quoted words")
    post = PostFactory(author=author, text="See this", quote_of=quoted)
    assert "Quoted words" in web.get(f"/@author/{post.pk}").content.decode()
    accounts.update_profile(user=other, is_locked=True)
    page = web.get(f"/@author/{post.pk}").content.decode()
    assert "Quoted words" not in page
    assert "The quoted post is not available" in page


def test_sensitive_posts_wait_behind_a_cover_unless_asked_for(web, reader, author):
    post = PostFactory(author=author, text="Bare facts", sensitive=True)
    assert '<details class="cover">' in web.get(f"/@author/{post.pk}").content.decode()
    accounts.set_preferences(user=reader, shows_sensitive=True)
    assert '<details class="cover">' not in web.get(f"/@author/{post.pk}").content.decode()


PRIVATE = (
    "/compose", "/following", "/notifications", "/bookmarks", "/lists", "/@author/lists", "/settings",
    "/settings/filters", "/follow_requests",
)  # fmt: skip


@pytest.mark.parametrize("path", PRIVATE)
def test_private_pages_ask_visitors_to_sign_in(path, web, visitor, author):
    assert web.get(path).status_code == 200
    answer = visitor.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_muted_words_leave_following(web, reader, author):
    PostFactory(author=author, text="Spoilers about the finale")
    assert "Spoilers" in web.get("/following").content.decode()
    web.post("/settings/filters", {"phrase": "finale", "days": ""})
    assert "Spoilers" not in web.get("/following").content.decode()


def test_only_the_target_answers_a_follow_request(web, reader):
    asker = UserFactory(username="asker")
    stranger = UserFactory(is_locked=True)
    accounts.follow(follower=asker, followee=stranger)
    assert web.post("/follow_requests/asker/accept").status_code == 404
    accounts.update_profile(user=reader, is_locked=True)
    accounts.follow(follower=asker, followee=reader)
    assert "asker" in web.get("/follow_requests").content.decode()
    assert web.post("/follow_requests/asker/accept").status_code == 302
    assert not FollowRequest.objects.filter(target=reader).exists()


@pytest.mark.parametrize(
    "path", ["/@nobody", "/@author/1", "/@author/99999999999999999999", "/why/1/2", "/topics/none"]
)
def test_forged_addresses_are_not_found(path, web, author):
    assert web.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/following?max_id=abc", "/?cursor=abc", "/compose?reply_to=-1", "/ads/open?token=x"])
def test_malformed_addresses_are_refused_not_crashed_on(path, web):
    assert 400 <= web.get(path).status_code < 500


def test_followers_list_leaves_blocked_people_out(web, reader, author):
    stranger = UserFactory(username="stranger")
    FollowFactory(follower=stranger, followee=author)
    assert "@stranger" in web.get("/@author/followers").content.decode()
    accounts.block(blocker=reader, blocked=stranger)
    assert "@stranger" not in web.get("/@author/followers").content.decode()
