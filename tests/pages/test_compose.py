"""Writing and rewriting posts through the forms."""

from datetime import timedelta

import pytest
from django.test import Client

from posts.models import Media, Post, PostEdit, ScheduledPost
from posts.types import Visibility
from tests.factories import PostFactory, UserFactory, picture
from xsocial.kernel import clock


def upload(name: str = "p.png"):
    file = picture()
    file.name = name
    return file


def test_a_post_with_a_described_picture(web, reader):
    data = {"text": "Look #sky", "files": [upload()], "alt_0": "A teal square", "visibility": "unlisted"}
    answer = web.post("/compose", data)
    post = Post.objects.get()
    assert answer["Location"] == f"/@reader/{post.pk}"
    assert post.visibility == Visibility.UNLISTED
    assert Media.objects.get().alt_text == "A teal square"
    page = web.get(f"/@reader/{post.pk}").content.decode()
    assert 'alt="A teal square"' in page
    assert "/tags/sky" in page


def test_reply_and_quote_refer_to_what_one_may_see(script, reader, author):
    parent = PostFactory(author=author)
    answer = script("/compose", {"text": "Quite so", "reply_to": parent.pk})
    assert answer.status_code == 204
    assert "posted" in answer["HX-Trigger"]
    assert Post.objects.get(author=reader).in_reply_to_id == parent.pk
    hidden = PostFactory(author=UserFactory(is_locked=True))
    assert script("/compose", {"text": "Psst", "quote": hidden.pk}).status_code == 404
    assert Post.objects.filter(author=reader).count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text": "  "}, "Write something"),
        ({"text": "x" * 501}, "at most 500"),
        ({"text": "ok", "visibility": "secret"}, "Select a valid choice"),
    ],
)
def test_bad_posts_come_back_with_their_words_and_the_reason(web, data, words):
    answer = web.post("/compose", data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert data["text"].strip() in answer.content.decode()
    assert not Post.objects.exists()


def test_a_disguised_upload_is_refused_and_nothing_is_stored(web):
    fake = upload("cat.png")
    fake.seek(0)
    fake.truncate()
    fake.write(b"<script>alert(1)</script>")
    fake.seek(0)
    assert web.post("/compose", {"text": "A cat", "files": [fake]}).status_code == 422
    assert not Post.objects.exists()
    assert not Media.objects.exists()


def test_the_same_form_sent_twice_makes_one_post(web):
    for _ in range(2):
        web.post("/compose", {"text": "Once", "key": "abc"})
    assert Post.objects.count() == 1


def test_a_poll_is_composed_and_voted_in_without_script(web, reader, visitor, client):
    sent = {"text": "Tea or coffee?", "poll": "on", "option": ["Tea", "Coffee <b>", "", ""], "poll_lasts": "3600"}
    web.post("/compose", sent)
    post = Post.objects.get()
    path = f"/@reader/{post.pk}"
    assert "0 people voted" in web.get(path).content.decode()
    assert 'name="poll_' not in visitor.get(path).content.decode()
    other = Client()
    other.force_login(UserFactory())
    page = other.get(path).content.decode()
    assert f'name="poll_{post.pk}" value="1"' in page
    assert "Coffee &lt;b&gt;" in page
    assert "%" not in page[page.index('class="poll"') : page.index("poll__facts")]
    assert other.post(f"/posts/{post.pk}/vote", {"next": path}).status_code == 422
    assert other.post(f"/posts/{post.pk}/vote", {f"poll_{post.pk}": "1", "next": path})["Location"] == path
    page = other.get(path).content.decode()
    assert "100%" in page
    assert "your choice" in page
    assert "1 person voted" in page


def test_a_poll_that_does_not_work_comes_back(web):
    answer = web.post("/compose", {"text": "Tea?", "poll": "on", "option": ["Yes", ""]})
    assert answer.status_code == 422
    assert "two to 4 options" in answer.content.decode()
    assert 'value="Yes"' in answer.content.decode()


def test_a_post_for_later_waits_on_its_page(web, reader, visitor):
    when = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {"text": "In two days", "later": "on", "scheduled_at": when, "files": [upload()]}
    assert web.post("/compose", sent)["Location"] == "/scheduled"
    row = ScheduledPost.objects.get()
    page = web.get("/scheduled").content.decode()
    assert "In two days" in page
    assert "1 attachment" in page
    assert visitor.get("/scheduled").status_code == 302
    web.post(f"/scheduled/{row.pk}/edit", {"text": "In two days!", "visibility": "unlisted", "scheduled_at": when})
    row.refresh_from_db()
    assert (row.draft["text"], row.draft["visibility"]) == ("In two days!", "unlisted")
    past = {"text": "x", "scheduled_at": "2020-01-01T12:00"}
    assert web.post(f"/scheduled/{row.pk}/edit", past).status_code == 422
    web.post(f"/scheduled/{row.pk}/cancel")
    assert "Nothing waits" in web.get("/scheduled").content.decode()
    assert not Post.objects.exists()


@pytest.mark.parametrize(("when", "words"), [("", "Choose when"), ("2020-01-01T12:00", "five minutes")])
def test_a_time_that_does_not_work_comes_back(web, when, words):
    answer = web.post("/compose", {"text": "Later", "later": "on", "scheduled_at": when})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ScheduledPost.objects.exists()


def test_a_time_counts_only_with_its_switch(web):
    web.post("/compose", {"text": "Now", "scheduled_at": "2020-01-01T12:00"})
    assert Post.objects.get().text == "Now"


def test_edit_keeps_the_earlier_wording_readable(web, reader, author):
    post = PostFactory(author=reader, text="Frist")
    web.post(f"/posts/{post.pk}/edit", {"text": "First"})
    history = web.get(f"/@reader/{post.pk}/history").content.decode()
    assert "First" in history
    assert "Frist" in history
    theirs = PostFactory(author=author, text="Not yours")
    web.post(f"/posts/{theirs.pk}/edit", {"text": "Mine now"})
    theirs.refresh_from_db()
    assert theirs.text == "Not yours"
    assert PostEdit.objects.count() == 1


def test_text_is_shown_as_text(web, reader):
    post = PostFactory(author=reader, text='<img src=x onerror=alert(1)> & "quotes"')
    page = web.get(f"/@reader/{post.pk}").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
