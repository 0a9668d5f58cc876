"""The pages that explain: why a post, what was left out, and who else looked."""

import re

import pytest
from django.contrib.auth.models import Group

from accounts import services as accounts
from feed import services
from feed.models import Receipt, ReceiptLook
from feed.receipts import left_out
from tests.factories import PostFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def posts(author):
    return [PostFactory(author=author, text=f"Post number {number}") for number in range(5)]


@pytest.fixture
def receipt(web, reader, author, posts):
    """A page of which a muted word, a blocked author and a long list were left out."""
    accounts.add_muted_keyword(user=reader, phrase="drizzle")
    PostFactory(author=author, text="More drizzle tonight")
    blocked = UserFactory(username="loud")
    accounts.follow(follower=reader, followee=blocked)
    quote = PostFactory(author=blocked, text="LOUD")
    PostFactory(author=author, text="Listen to this", quote_of=quote)
    accounts.block(blocker=reader, blocked=blocked)
    web.get("/")
    return Receipt.objects.get(viewer=reader)


def test_left_out_posts_are_listed_by_rule_with_the_setting_at_hand(web, receipt):
    page = web.get(f"/why/{receipt.pk}").content.decode()
    assert f'href="/why/{receipt.pk}/left-out/MutedKeywordFilter"' in page
    assert 'href="/settings/filters"' in page
    words = web.get(f"/why/{receipt.pk}/left-out/MutedKeywordFilter").content.decode()
    assert "Has “drizzle”" in words
    (undo,) = re.findall(r'formaction="(/settings/keywords/\d+/remove)\?next=', words)
    web.post(undo)
    assert "not muted any more" in web.get(f"/why/{receipt.pk}/left-out/MutedKeywordFilter").content.decode()
    blocks = web.get(f"/why/{receipt.pk}/left-out/AuthorSocialgraphFilter").content.decode()
    assert "You block @loud" in blocks
    assert 'formaction="/@loud/unblock' in blocks
    assert "LOUD" not in blocks


def test_long_lists_come_in_pages(web, receipt, monkeypatch, author):
    monkeypatch.setattr(left_out, "PER_PAGE", 2)
    for number in range(5):
        PostFactory(author=author, text=f"drizzle {number}")
    accounts.add_muted_keyword(user=receipt.viewer, phrase="drizzle")
    web.get("/")
    newest = Receipt.objects.filter(viewer=receipt.viewer).latest("request_id")
    address = f"/why/{newest.pk}/left-out/MutedKeywordFilter"
    first = web.get(address).content.decode()
    assert "Page 1 of 3" in first
    assert f'href="{address}?page=2"' in first
    assert "Page 3 of 3" in web.get(f"{address}?page=3").content.decode()
    for wrong in ("0", "4", "x", "-1"):
        assert web.get(f"{address}?page={wrong}").status_code == 404
    assert web.get(f"/why/{newest.pk}/left-out/Nonsense").status_code == 404


def test_the_story_is_told_in_sentences(web, receipt, posts):
    page = web.get(f"/why/{receipt.pk}/{posts[4].pk}?all=1").content.decode()
    for part in ("Where it came from", "How it got its place", "newest posts by people you follow", "newest first"):
        assert part in page
    assert re.search(r"\d+ posts were looked at; \d+ were left out", page)


def test_staff_need_a_reason_and_see_no_predictions(client, receipt, web, posts):
    clerk = UserFactory(is_staff=True, username="clerk")
    client.force_login(clerk)
    assert client.get(f"/why/{receipt.pk}").status_code == 404
    clerk.groups.add(Group.objects.get(name="Receipt readers"))
    asked = client.get(f"/why/{receipt.pk}").content.decode()
    assert "Why do you look" in asked
    assert client.post(f"/why/{receipt.pk}", {"reason": ""}).status_code == 422
    assert not ReceiptLook.objects.exists()
    shown = client.post(f"/why/{receipt.pk}", {"reason": "A complaint"}).content.decode()
    assert "left-out" not in shown
    assert client.get(f"/why/{receipt.pk}/{posts[4].pk}").status_code == 404
    assert client.get(f"/why/{receipt.pk}/left-out/MutedKeywordFilter").status_code == 404
    assert "@clerk" in web.get(f"/why/{receipt.pk}").content.decode()
    assert services.looks(receipt.viewer, receipt.pk)[0].reason == "A complaint"
