"""Whom a post is for: the answer for many people at once is that of each one's timeline."""

from datetime import timedelta

import pytest

from accounts import services as accounts
from accounts.models import CreatorSubscription, PeopleList
from posts import selectors, services
from posts.models import Post
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """People in every relation to one another, and posts of every kind."""
    ann, bob, cat, eve = (UserFactory(username=name) for name in ("ann", "bob", "cat", "eve"))
    shut = UserFactory(username="shut", is_locked=True, offers_subscriptions=True)
    open_seller = UserFactory(offers_subscriptions=True)
    words, words_too, nobody = UserFactory(), UserFactory(), UserFactory()
    for follower in (ann, cat, words, words_too, eve):
        accounts.follow(follower=follower, followee=bob)
    accounts.follow(follower=ann, followee=cat)
    accounts.follow(follower=cat, followee=open_seller)
    accounts.follow(follower=words_too, followee=ann)
    accounts.follow(follower=ann, followee=shut)
    accounts.accept_follow(target=shut, requester=ann)
    CreatorSubscription.objects.create(subscriber=cat, author=open_seller)
    accounts.follow(follower=ann, followee=open_seller)
    accounts.follow(follower=ann, followee=nobody, shows_reposts=False)
    for owner, title, policy, members in (
        (ann, "Some", "list", [bob, cat]),
        (ann, "More", "followed", [bob, shut, nobody]),
        (ann, "Less", "none", [cat, open_seller, nobody]),
        (words, "Words", "followed", [bob]),
        (cat, "Apart", "list", [bob, open_seller]),
    ):
        made = accounts.create_list(owner=owner, title=title, replies_policy=policy, is_exclusive=title == "Apart")
        accounts.add_to_list(people_list=made, user_ids=[person.pk for person in members])
    accounts.block(blocker=bob, blocked=eve)
    accounts.block(blocker=nobody, blocked=cat)
    accounts.mute(muter=cat, muted=ann)
    accounts.mute(muter=ann, muted=nobody)
    accounts.add_muted_keyword(user=words, phrase="rain")
    accounts.add_muted_keyword(user=words_too, phrase="C++ (old)")

    plain = PostFactory(author=bob, text="Good #morning")
    rain = PostFactory(author=nobody, text="Such Rain! #morning")
    PostFactory(author=bob, text="Trains, C++ (old)")
    PostFactory(author=bob, text="Quoting", quote_of=rain)
    services.repost(user=bob, post=rain)
    services.repost(user=nobody, post=plain)
    services.repost(user=cat, post=plain)
    PostFactory(author=bob, in_reply_to=plain)
    PostFactory(author=bob, in_reply_to=rain, text="Yes #morning")
    PostFactory(author=bob, in_reply_to=PostFactory(author=ann, text="Well?"), text="Well")
    PostFactory(author=bob, in_reply_to=PostFactory(author=cat, text="Cat's"), text="To cat")
    PostFactory(author=nobody, in_reply_to=PostFactory(author=eve, text="Eve's"), text="To eve")
    PostFactory(author=ann, in_reply_to=plain, media=[MediaFactory(owner=ann)])
    PostFactory(author=cat, text="Hello @eve", visibility="private")
    PostFactory(author=bob, text="@nobody", visibility="direct")
    PostFactory(author=bob, text="Aside", visibility="unlisted")
    PostFactory(author=shut, text="Behind the door @eve #morning")
    PostFactory(author=open_seller, text="For money", subscribers_only=True)
    withheld = PostFactory(author=bob, text="Wait #morning")
    Post.objects.filter(pk=withheld.pk).update(withheld_until=clock.now() + timedelta(hours=1))
    services.delete_post(actor=bob, post=PostFactory(author=bob, text="Gone"))
    return [ann, bob, cat, eve, shut, open_seller, words, words_too, nobody]


def test_many_at_once_are_told_what_each_would_be(world):
    everybody = {person.pk for person in world}
    home = {person.pk: set(selectors.page_ids(selectors.home_posts(person))) for person in world}
    public = {person.pk: set(selectors.page_ids(selectors.public_posts(person))) for person in world}
    tagged = {person.pk: set(selectors.page_ids(selectors.tagged_posts(person, "morning"))) for person in world}
    opened = {person.pk: set(selectors.page_ids(selectors.visible_to(person))) for person in world}
    own_lists = PeopleList.objects.select_related("owner")
    listed = {
        (row.owner_id, row.pk): set(selectors.page_ids(selectors.list_posts(row.owner, row))) for row in own_lists
    }
    assert all(listed.values())

    def having(lists, post):
        return {who for who, listed in lists.items() if post.pk in listed}

    for post in Post.objects.select_related("author", "repost_of"):
        openers = selectors.openers(post.pk, everybody)
        assert openers == having(opened, post), post
        readers = selectors.home_readers(post, everybody) & openers
        assert selectors.without_muting(post, readers, in_context=True) == having(home, post), post
        of_lists = {
            (owner, row)
            for owner, row in selectors.list_readers(post, [row.pk for row in own_lists])
            if selectors.without_muting(post, {owner} & openers, in_context=True)
        }
        assert of_lists == having(listed, post), post
        unmuted = selectors.without_muting(post, openers)
        assert (unmuted if selectors.is_in_public(post) else set()) == having(public, post), post
        assert (unmuted if "morning" in selectors.tags_in_public(post) else set()) == having(tagged, post), post


def test_the_questions_do_not_grow_with_the_people(world, django_assert_max_num_queries):
    post = Post.objects.filter(text__startswith="Good").select_related("author", "repost_of").get()
    with django_assert_max_num_queries(8):
        selectors.list_readers(post, range(1, 2000))
        selectors.openers(post.pk, range(1, 2000))
        selectors.home_readers(post, range(1, 2000))
        selectors.without_muting(post, {person.pk for person in world}, in_context=True)
