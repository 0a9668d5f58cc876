"""RSS of people and hashtags: what a visitor may read, and nothing else."""

from xml.etree import ElementTree

import pytest

from accounts import services as accounts
from posts import services
from posts.types import Visibility
from tests.factories import FollowFactory, MediaFactory, PostFactory, UserFactory

pytestmark = pytest.mark.django_db


def items(client, path: str) -> list[ElementTree.Element]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/rss+xml")
    assert "public" in answer["Cache-Control"]
    return ElementTree.fromstring(answer.content).findall("./channel/item")


def said(client, path: str) -> list[str]:
    return [item.findtext("description") for item in items(client, path)]


@pytest.fixture
def author():
    return UserFactory(username="author", display_name="Ann <&>", bio="Writes")


def test_a_person_is_read_newest_first_with_absolute_addresses(client, author):
    first = PostFactory(author=author, text="First #sea\n\nhttps://example.org/?a=1&b=2")
    picture = MediaFactory(owner=author, alt_text='A "wave"')
    PostFactory(author=author, text="Second", media=[picture])
    newest, oldest = items(client, "/@author.rss")
    assert newest.findtext("title") == "Ann <&>: Second"
    assert 'alt="A &quot;wave&quot;"' in newest.findtext("description")
    assert 'src="http://testserver/media/' in newest.findtext("description")
    assert oldest.findtext("link") == oldest.findtext("guid") == f"http://testserver/@author/{first.pk}"
    assert 'href="http://testserver/tags/sea"' in oldest.findtext("description")
    assert oldest.findtext("pubDate")


def test_only_what_anybody_may_open(client, author):
    PostFactory(author=author, text="Open")
    PostFactory(author=author, text="Closed", visibility=Visibility.FOLLOWERS)
    PostFactory(author=author, text="An answer", in_reply_to=PostFactory(author=UserFactory()))
    services.repost(user=author, post=PostFactory(author=UserFactory()))
    services.delete_post(actor=author, post=PostFactory(author=author, text="Gone"))
    assert said(client, "/@author.rss") == ["<p>Open</p>"]
    follower = FollowFactory(followee=author).follower
    client.force_login(follower)  # a feed is the same for everybody, and may be cached
    assert said(client, "/@author.rss") == ["<p>Open</p>"]
    accounts.update_profile(user=author, is_locked=True)
    assert said(client, "/@author.rss") == []


def test_what_waits_behind_a_cover_is_not_given_away(client, author):
    PostFactory(author=author, text="The butler did it", spoiler_text="The end of the film")
    PostFactory(author=author, text="Not for everybody", sensitive=True, media=[MediaFactory(owner=author)])
    whole = client.get("/@author.rss").content.decode()
    assert "The end of the film" in whole
    assert "butler" not in whole
    assert "Not for everybody" not in whole
    assert "/media/" not in whole


def test_a_hashtag_is_read_in_any_case(client, author):
    PostFactory(author=author, text="Waves #Sea")
    PostFactory(author=author, text="Hills #land")
    (found,) = said(client, "/tags/SEA.rss")
    assert found.startswith("<p>Waves")
    assert said(client, "/tags/nobody_says_this.rss") == []


def test_nobody_has_no_feed(client, author):
    assert client.get("/@nobody.rss").status_code == 404


@pytest.mark.parametrize("path", ["/@author", "/tags/sea"])
def test_pages_name_their_feed(client, author, path):
    assert f'type="application/rss+xml" href="{path}.rss"' in client.get(path).content.decode()


def test_a_feed_costs_the_same_queries_for_many_posts(client, author, django_assert_num_queries):
    PostFactory(author=author, text="One", media=[MediaFactory(owner=author)])
    with django_assert_num_queries(5):
        items(client, "/@author.rss")
    for _ in range(8):
        PostFactory(author=author, text="More", media=[MediaFactory(owner=author)])
    with django_assert_num_queries(5):
        assert len(items(client, "/@author.rss")) == 9
