"""Timelines: what belongs in each, in which order, by which page, in how many queries."""

from datetime import timedelta

import pytest

from accounts import services as accounts
from posts import selectors, services
from posts.selectors import Cursor
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db

# Posts, attachments, mentions, tags, quotes with attachments, and the originals of reposts.
MAX_QUERIES = 14


@pytest.fixture
def ann():
    return UserFactory()


def followed_by(viewer, **kwargs):
    author = UserFactory(**kwargs)
    accounts.follow(follower=viewer, followee=author)
    return author


def test_home_is_strictly_by_time_and_holds_only_what_one_follows(ann):
    bob, stranger = followed_by(ann), UserFactory()
    first = PostFactory(author=bob)
    foreign = PostFactory(author=stranger)
    own = PostFactory(author=ann)
    passed_on = services.repost(user=bob, post=foreign)
    PostFactory(author=bob, in_reply_to=foreign)
    to_me = PostFactory(author=bob, in_reply_to=own)
    thread = PostFactory(author=bob, in_reply_to=first)
    PostFactory(author=bob, text="For you alone", visibility="direct")
    assert selectors.home(ann) == [thread, to_me, passed_on, own, first]


def test_a_list_shows_its_people_and_the_replies_it_wants(ann):
    bob, cat, dan = (followed_by(ann) for _ in range(3))
    stranger = UserFactory()
    close = accounts.create_list(owner=ann, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[bob.pk, cat.pk])
    plain = PostFactory(author=bob)
    PostFactory(author=dan)
    PostFactory(author=ann)
    passed_on = services.repost(user=cat, post=PostFactory(author=stranger))
    thread = PostFactory(author=bob, in_reply_to=plain)
    to_me = PostFactory(author=bob, in_reply_to=PostFactory(author=ann))
    within = PostFactory(author=cat, in_reply_to=plain)
    to_followed = PostFactory(author=bob, in_reply_to=PostFactory(author=dan))
    PostFactory(author=bob, in_reply_to=PostFactory(author=stranger))
    PostFactory(author=bob, text="For you alone", visibility="direct")
    always = [to_me, thread, passed_on, plain]
    wanted = {"none": always, "list": [within, *always], "followed": [to_followed, within, *always]}
    for policy, expected in wanted.items():
        accounts.change_list(people_list=close, replies_policy=policy)
        assert selectors.list_timeline(ann, close) == expected
    accounts.follow(follower=ann, followee=cat, shows_reposts=False)
    accounts.add_muted_keyword(user=ann, phrase=plain.text)
    accounts.suspend_account(user=cat)
    assert selectors.list_timeline(ann, close) == [to_followed, to_me]


def test_people_of_an_exclusive_list_leave_following(ann):
    bob, cat = followed_by(ann), followed_by(ann)
    post, other = PostFactory(author=bob), PostFactory(author=cat)
    apart = accounts.create_list(owner=ann, title="Apart", is_exclusive=True)
    accounts.add_to_list(people_list=apart, user_ids=[bob.pk])
    assert selectors.home(ann) == [other]
    assert selectors.list_timeline(ann, apart) == [post]
    accounts.change_list(people_list=apart, is_exclusive=False)
    assert selectors.home(ann) == [other, post]


def test_home_leaves_out_what_is_muted(ann):
    bob, eve, quiet = followed_by(ann), followed_by(ann), followed_by(ann)
    rain = PostFactory(author=UserFactory(), text="Rain all day")
    PostFactory(author=bob, text="It RAINS: Rain!")
    PostFactory(author=bob, text="Hm", spoiler_text="about rain")
    services.repost(user=bob, post=rain)
    kept = PostFactory(author=bob, text="Trains are fine")
    own = PostFactory(author=ann, text="My rain")
    PostFactory(author=eve)
    services.repost(user=bob, post=PostFactory(author=eve))
    services.repost(user=quiet, post=PostFactory())
    accounts.follow(follower=ann, followee=quiet, shows_reposts=False)
    accounts.mute(muter=ann, muted=eve, expires_at=clock.now() + timedelta(hours=1))
    accounts.add_muted_keyword(user=ann, phrase="rain")
    assert selectors.home(ann) == [own, kept]
    with clock.fixed(clock.now() + timedelta(hours=2)):
        assert len(selectors.home(ann)) == 5


def test_home_mutes_what_a_post_quotes_answers_and_began_with(ann):
    bob = followed_by(ann)
    rain, root = PostFactory(author=ann, text="rain"), PostFactory(author=bob, text="after the rain")
    PostFactory(author=bob, text="look", quote_of=rain)
    reply = PostFactory(author=bob, text="well", in_reply_to=root)
    PostFactory(author=bob, text="indeed", in_reply_to=reply)
    kept = PostFactory(author=bob, text="sun", quote_of=PostFactory(text="sunny"))
    accounts.add_muted_keyword(user=ann, phrase="rain")
    assert selectors.home(ann) == [kept, rain]


@pytest.mark.parametrize("phrase", ["c++", "(a|b", "50% off", "a.b", "\\d", "[x", "ab\\"])
def test_muted_words_are_words_and_not_patterns(ann, phrase):
    bob = followed_by(ann)
    PostFactory(author=bob, text=f"I say {phrase} now")
    kept = PostFactory(author=bob, text="axb 5 cc 50x off")
    accounts.add_muted_keyword(user=ann, phrase=phrase)
    assert selectors.home(ann) == [kept]


def test_muted_words_of_scripts_without_spaces_match_inside(ann):
    bob = followed_by(ann)
    PostFactory(author=bob, text="\u4eca\u65e5\u306f\u96e8\u3067\u3059")
    accounts.add_muted_keyword(user=ann, phrase="\u96e8")
    assert selectors.home(ann) == []


def test_pages_join_without_gap_or_overlap(ann):
    bob = followed_by(ann)
    posts = [PostFactory(author=bob) for _ in range(5)][::-1]
    assert selectors.home(ann, Cursor(limit=2)) == posts[:2]
    assert selectors.home(ann, Cursor(limit=2, max_id=posts[1].pk)) == posts[2:4]
    assert selectors.home(ann, Cursor(limit=2, since_id=posts[4].pk)) == posts[:2]
    assert selectors.home(ann, Cursor(limit=2, min_id=posts[4].pk)) == posts[2:4]


def test_profiles_show_posts_replies_or_pictures(ann):
    root = PostFactory(author=ann)
    reply = PostFactory(author=ann, in_reply_to=PostFactory())
    thread = PostFactory(author=ann, in_reply_to=root)
    photo = PostFactory(author=ann, media=[MediaFactory(owner=ann)])
    row = services.repost(user=ann, post=PostFactory())

    def shown(**only) -> list:
        return selectors.page_ids(selectors.profile_posts(None, ann, **only))

    assert shown() == [row.pk, photo.pk, thread.pk, root.pk]
    assert shown(with_reposts=False) == [photo.pk, thread.pk, root.pk]
    assert shown(with_replies=True) == [row.pk, photo.pk, thread.pk, reply.pk, root.pk]
    assert shown(only_media=True) == [photo.pk]


def test_public_and_tag_hold_public_originals(ann):
    tea = PostFactory(text="#Tea")
    PostFactory(text="#tea", visibility="unlisted")
    PostFactory(text="#tea", in_reply_to=tea)
    services.repost(user=ann, post=tea)
    assert selectors.public_timeline(ann) == [tea]
    tagged = selectors.tag_timeline(ann, "#TEA")
    assert tagged[-1] == tea
    assert all(post.repost_of_id is None for post in tagged)
    assert selectors.tag_timeline(ann, "coffee") == []


def test_bookmarks_and_favorites_come_in_the_order_they_were_made(ann):
    first, second, gone = PostFactory(), PostFactory(), PostFactory()
    for post in (second, gone, first):
        services.bookmark(user=ann, post=post)
        services.favorite(user=ann, post=post)
    services.delete_post(actor=gone.author, post=gone)
    assert [post for _, post in selectors.bookmarks(ann)] == [first, second]
    assert [post for _, post in selectors.favorites(ann)] == [first, second]
    assert [like.user for like in selectors.favorites_of(first)] == [ann]
    row = services.repost(user=ann, post=first)
    assert selectors.reposts_of(ann, first) == [row]
    marks = selectors.viewer_marks(ann, [first.pk, gone.pk, 5])
    assert marks[first.pk].is_reposted
    assert marks[first.pk].is_bookmarked
    assert not marks[5].is_favorited


def rich_posts(author, number):
    for _ in range(number):
        post = PostFactory(
            author=author, text="@person1 #tea", media=[MediaFactory(owner=author)], quote_of=PostFactory()
        )
        services.repost(user=author, post=PostFactory(text="#x"))
        PostFactory(author=author, in_reply_to=post)


def read_all(posts):
    """Touch what a template would."""
    for post in posts:
        shown = post.repost_of or post
        assert shown.author.name
        assert shown.counts.replies >= 0
        list(shown.media.all())
        [mention.user.username for mention in shown.mentions.all()]
        [link.tag.name for link in shown.tag_links.all()]
        assert shown.quote_of is None or (shown.quote_of.author.name and list(shown.quote_of.media.all()) is not None)


def test_queries_do_not_grow_with_the_page(ann, django_assert_max_num_queries):
    bob = followed_by(ann)
    rich_posts(bob, 4)
    close = accounts.create_list(owner=ann, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[bob.pk])
    for timeline in (
        lambda: selectors.home(ann),
        lambda: selectors.list_timeline(ann, close),
        lambda: selectors.public_timeline(ann),
        lambda: selectors.search_posts(ann, "tea"),
    ):
        with django_assert_max_num_queries(MAX_QUERIES):
            posts = timeline()
            read_all(posts)
        assert len(posts) >= 4
