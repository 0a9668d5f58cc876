"""For You, Following, receipts and what stands beside them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from feed import services
from feed.models import Receipt
from feed.receipts.rules import RULES
from moderation.services import NewLabel, reconcile_labels
from moderation.types import Label
from tests.factories import FollowFactory, MediaFactory, PostFactory, TopicFactory, UserFactory

HTMX = {"HX-Request": "true"}
# The pipelines read beside the page itself; a page of thirty posts costs what one of three does.
FOR_YOU_PINNED = 63


@pytest.fixture
def posts(author):
    return [PostFactory(author=author, text=f"Post number {number}") for number in range(5)]


def test_following_is_strictly_by_time_and_pages_on(web, author, monkeypatch):
    monkeypatch.setattr("feed.views.following.PAGE", 3)
    written = [PostFactory(author=author, text=f"number {number}") for number in range(5)]
    first = web.get("/following").content.decode()
    assert re.findall(r'id="post-(\d+)"', first) == [str(post.pk) for post in written[:1:-1]]
    next_url = f"/following?max_id={written[2].pk}"
    assert f'hx-get="{next_url}"' in first
    second = web.get(next_url, headers=HTMX).content.decode()
    assert re.findall(r'id="post-(\d+)"', second) == [str(written[1].pk), str(written[0].pk)]
    assert "<html" not in second


def test_for_you_says_that_it_is_not_ranked_and_keeps_a_receipt(web, reader, posts):
    page = web.get("/").content.decode()
    assert "Newest first, because ranking is not available" in page
    assert "Post number 4" in page
    receipt = Receipt.objects.get(viewer=reader)
    assert f'data-request="{receipt.request_id}"' in page
    why = web.get(f"/why/{receipt.request_id}/{posts[4].pk}", headers=HTMX).content.decode()
    assert "You follow @author" in why
    assert "order of time" in why
    assert web.get(f"/why/{receipt.request_id}/{posts[4].pk}?all=1").status_code == 200
    assert "left out" in web.get(f"/why/{receipt.request_id}").content.decode()


def test_a_receipt_belongs_to_its_viewer(web, reader, posts, client):
    web.get("/")
    receipt = Receipt.objects.get(viewer=reader)
    client.force_login(UserFactory())
    assert client.get(f"/why/{receipt.request_id}").status_code == 404
    assert client.get(f"/why/{receipt.request_id}/{posts[0].pk}").status_code == 404


def test_for_you_costs_no_more_queries_than_pinned(web, author, posts):
    """Twenty posts of every shape; one query each would be far over. Fewer when a stage times out."""
    for post in posts:
        for shape in ({"quote_of": post}, {"in_reply_to": post}, {"media": [MediaFactory(owner=author)]}):
            PostFactory(author=author, text="More of it", **shape)
    web.get("/following")
    with CaptureQueriesContext(connection) as seen:
        page = web.get("/").content.decode()
    assert page.count('<article class="post') >= 10
    assert len(seen) <= FOR_YOU_PINNED


def test_visitors_find_a_front_door_with_public_posts(visitor, posts):
    page = visitor.get("/").content.decode()
    assert "Create account" in page
    assert "Post number 4" in page
    hidden = PostFactory(author=UserFactory(is_locked=True), text="Not for strangers")
    assert hidden.text not in visitor.get("/").content.decode()


def test_who_has_a_new_password_is_shown_the_way_in(visitor):
    assert 'href="/accounts/login/"' in visitor.get("/accounts/password/reset/key/done/").content.decode()


def test_aside_suggests_people_and_active_tags(web, author):
    for words in ("Off to it", "On it", "Back from it"):
        PostFactory(author=UserFactory(), text=f"{words} #harbour")
    friend_of_author = UserFactory(username="mutual")
    FollowFactory(follower=author, followee=friend_of_author)
    page = web.get("/aside").content.decode()
    assert "#harbour" in page
    assert "@mutual" in page


def test_topics_become_tabs(web, reader):
    topic = TopicFactory(slug="sailing", name="Sailing")
    web.post("/topics/sailing/follow")
    assert 'href="/topics/sailing"' in web.get("/following").content.decode()
    assert web.get("/topics/sailing").status_code == 200
    accounts.snooze_topic(user=reader, topic=topic)
    assert 'href="/topics/sailing"' not in web.get("/following").content.decode()


@pytest.mark.parametrize("verb", ["hide", "seen"])
def test_ad_events_need_a_sound_token(web, visitor, verb):
    assert visitor.post(f"/ads/{verb}").status_code == 403
    assert web.post("/ads/hide", {"token": "forged"}).status_code in (404, 422)
    assert web.post("/ads/seen", {"tokens": "no json"}).status_code == 422
    assert web.post("/ads/seen", {"tokens": '["forged"]'}).status_code == 204


@pytest.mark.parametrize(
    "data",
    ["no json", "[]", '{"impressions": [1]}', '{"impressions": [{"post_id": "x"}]}', '{"impressions": {}}'],
)
def test_malformed_impressions_are_refused(web, data):
    assert web.post("/impressions", {"data": data}).status_code == 422


def test_impressions_and_dwell_are_recorded(web, reader, posts):
    rows = f'[{{"post_id": "{posts[0].pk}", "surface": 2, "position": 0, "seconds": 4.5}}, {{"post_id": "1"}}]'
    assert web.post("/impressions", {"data": f'{{"impressions": {rows}, "dwells": {rows}}}'}).status_code == 204
    assert reader.impressions.get().post == posts[0]
    assert reader.engagements.get().seconds == 4.5


def test_pages_carry_no_inline_script_or_style(web, posts):
    for path in ("/following", "/@author", f"/@author/{posts[0].pk}", "/compose", "/settings/feed"):
        answer = web.get(path)
        page = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son\w+=", page), path
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


def test_every_filter_of_both_pipelines_has_words():
    names = {
        name
        for stages in services.components().values()
        for stage, parts in stages.items()
        if stage.endswith("Filter")
        for name in parts
    }
    assert "PostSelectionFilter" in services.components()["ScoredPosts"]
    assert names - set(RULES) == set()


@pytest.mark.parametrize("path", ["/following", "/@author", "/search?q=harvest", "/@author/{}"])
def test_labelled_posts_are_covered_on_every_page(web, author, path):
    post = PostFactory(author=author, text="harvest time")
    path = path.format(post.pk)
    assert "May be about self-harm" not in web.get(path).content.decode()
    reconcile_labels({post.pk: [NewLabel(Label.SELF_HARM, rule="test")]}, rules="test")
    assert "May be about self-harm" in web.get(path).content.decode()
