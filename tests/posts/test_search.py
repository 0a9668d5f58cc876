"""Search of posts and tags."""

import pytest
from django.db import connection

from accounts.models import User
from moderation import services
from moderation.types import Label
from posts import selectors
from posts.models import Post, Tag
from posts.services import delete_post, release, withhold
from posts.types import PollDraft, Visibility
from tests.factories import ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


def test_all_words_must_be_there_and_operators_work():
    green = PostFactory(text="Green tea in the morning")
    black = PostFactory(text="Black tea", spoiler_text="evening")
    assert selectors.search_posts(None, "tea") == [black, green]
    assert selectors.search_posts(None, "TEA morning") == [green]
    assert selectors.search_posts(None, "tea -green") == [black]
    assert selectors.search_posts(None, '"green tea"') == [green]
    assert selectors.search_posts(None, "evening") == [black]
    assert selectors.search_posts(None, "tea", author_id=green.author_id) == [green]


def test_options_of_polls_are_found():
    asked = PostFactory(text="Which one?", poll=PollDraft(("Green tea", "Coffee"), 3600))
    assert selectors.search_posts(None, "tea which") == [asked]
    delete_post(actor=asked.author, post=asked)
    assert selectors.search_posts(None, "tea") == []


def test_ones_own_hidden_posts_are_found_by_oneself_alone():
    ann = UserFactory()
    note = PostFactory(author=ann, text="secret recipe", visibility="private")
    assert selectors.search_posts(ann, "recipe") == [note]
    assert selectors.search_posts(UserFactory(), "recipe") == []


@pytest.mark.parametrize(
    "query", ["", " ", "\x00", "' & | !", '"', ":*", "a:*b", "-", "\\", "or or", "x" * 5000, "<->"]
)
def test_any_input_is_safe(query):
    assert selectors.search_posts(None, query) == []


def test_the_index_is_used():
    PostFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM posts_post WHERE "
            "to_tsvector('simple'::regconfig,"
            " COALESCE(spoiler_text, '') || ' ' || COALESCE(text, '') || ' ' || COALESCE(poll_text, ''))"
            " @@ websearch_to_tsquery('simple'::regconfig, 'tea')"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "posts_post_words" in plan


def test_active_tags_are_those_of_several_people_whose_posts_the_public_sees():
    def use(tag: str) -> list[Post]:
        return [PostFactory(author=UserFactory(), text=f"{word} #{tag}") for word in ("Seen", "Heard", "Missed")]

    use("heron")
    use("offer")
    spam, suspended, followers_only = use("bargain"), use("prize"), use("club")
    withhold(spam[0].pk)
    User.objects.filter(pk=suspended[0].author_id).update(suspended_at=clock.now())
    Post.objects.filter(pk=followers_only[0].pk).update(visibility=Visibility.FOLLOWERS)
    Tag.objects.filter(name="offer").update(may_trend=False)
    assert selectors.active_tags(limit=9) == [{"name": "heron", "num_authors": 3, "num_posts": 3}]
    release(spam[0].pk)
    assert {row["name"] for row in selectors.active_tags(limit=9)} == {"bargain", "heron"}


def test_copies_and_likely_spam_make_no_tag_active():
    long = "Everybody should look at the new bakery on the corner, their bread is the best in town by far"
    for tag, words in {
        "same": ["Seen again"] * 4,
        "nearly": [long, long + "!", long + " https://a.example/"],
        "spam": ["Seen", "Heard", "Missed"],
        "mixed": ["Seen", "Heard", "Missed", "missed", "MISSED"],
    }.items():
        last = [PostFactory(author=UserFactory(), text=f"{each} #{tag}") for each in words][-1]
        if tag == "spam":
            services.apply_label(moderator=ModeratorFactory(), post=last, label=Label.SPAM_HIGH_RECALL)
    assert selectors.active_tags(limit=9) == [{"name": "mixed", "num_authors": 3, "num_posts": 3}]


def test_the_newest_posts_speak_for_a_much_used_tag(monkeypatch):
    monkeypatch.setattr("posts.selectors.trends.POSTS_READ", 4)
    for word in ("One", "Two", "Three", "Four", "Five", "Six", "six", "SIX"):
        PostFactory(author=UserFactory(), text=f"{word} #much")
    # Of the four that are read, three are alike.
    assert selectors.active_tags(limit=9) == []
    for word in ("Seven", "Eight"):
        PostFactory(author=UserFactory(), text=f"{word} #much")
    assert selectors.active_tags(limit=9) == [{"name": "much", "num_authors": 8, "num_posts": 8}]


def test_tags_are_found_by_their_beginning():
    PostFactory(text="#tea #team")
    PostFactory(text="#tea #coffee")
    found = selectors.search_tags("#TEA")
    assert [(tag.name, tag.num_posts) for tag in found] == [("tea", 2), ("team", 1)]
    assert selectors.search_tags("%") == []
