"""Who may open which post: the whole matrix, for the door and for every list behind it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import services as accounts
from posts import selectors, services
from posts.cards import QuoteCard, cards_by_id
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import NotFound

pytestmark = pytest.mark.django_db

VIEWERS = ("author", "follower", "named", "subscriber", "stranger", "blocked", "blocker", "visitor")
EVERYONE = set(VIEWERS)
# Blocks cut both ways; a visitor is nobody's enemy.
PUBLIC = EVERYONE - {"blocked", "blocker"}

MATRIX = [
    ({}, {}, PUBLIC),
    ({"visibility": "unlisted"}, {}, PUBLIC),
    ({"visibility": "private"}, {}, {"author", "follower", "named", "subscriber"}),
    ({"visibility": "direct"}, {}, {"author", "named"}),
    ({"subscribers_only": True}, {}, {"author", "subscriber"}),
    ({"subscribers_only": True, "visibility": "direct"}, {}, {"author"}),
    ({}, {"is_locked": True}, {"author", "follower", "named", "subscriber"}),
]


@pytest.fixture
def cast():
    """Viewers by their relation to the author; the subscriber follows, too."""
    people = {
        name: UserFactory(username=name, offers_subscriptions=name == "author") for name in VIEWERS if name != "visitor"
    }
    author = people["author"]
    for name in ("follower", "subscriber"):
        accounts.follow(follower=people[name], followee=author)
    accounts.subscribe(subscriber=people["subscriber"], author=author)
    accounts.block(blocker=author, blocked=people["blocked"])
    accounts.block(blocker=people["blocker"], blocked=author)
    return {**people, "visitor": AnonymousUser()}


def may_open(post, viewer) -> bool:
    """What the door says; cards have a query of their own, which must say the same."""
    has_card = [card.entry_id for card in cards_by_id([post.pk], viewer)] == [post.pk]
    try:
        is_open = selectors.get_visible_post(viewer, post.pk) == post
    except NotFound:
        is_open = False
    assert has_card is is_open
    return is_open


@pytest.mark.parametrize(("content", "profile", "expected"), MATRIX)
def test_the_matrix(cast, content, profile, expected):
    post = services.create_post(author=cast["author"], text="For @named", **content)
    if profile:
        accounts.update_profile(user=cast["author"], **profile)
    assert {name for name in VIEWERS if may_open(post, cast[name])} == expected


@pytest.mark.parametrize("leave", [accounts.suspend_account, accounts.deactivate_account, accounts.delete_account])
def test_posts_of_the_unreachable_are_gone_for_all(cast, leave):
    post = PostFactory(author=cast["author"], text="For @named")
    row = services.repost(user=cast["follower"], post=post)
    leave(user=cast["author"])
    assert not any(may_open(shown, cast[name]) for shown in (post, row) for name in VIEWERS)


def test_an_ended_subscription_opens_nothing(cast):
    post = PostFactory(author=cast["author"], subscribers_only=True)
    end = clock.now() + timedelta(days=1)
    accounts.subscribe(subscriber=cast["subscriber"], author=cast["author"], expires_at=end)
    assert may_open(post, cast["subscriber"])
    with clock.fixed(end):
        assert not may_open(post, cast["subscriber"])


def test_a_repost_is_seen_by_those_who_may_open_the_original(cast):
    post = PostFactory(author=cast["author"])
    row = services.repost(user=cast["stranger"], post=post)
    assert {name for name in VIEWERS if may_open(row, cast[name])} == PUBLIC
    accounts.update_profile(user=cast["author"], is_locked=True)
    assert {name for name in VIEWERS if may_open(row, cast[name])} == {"author", "follower", "subscriber"}


def test_no_list_lets_a_hidden_post_through(cast):
    author, stranger = cast["author"], cast["stranger"]
    shown = PostFactory(author=author, text="About #tea, plainly")
    hidden = [
        PostFactory(author=author, text="About #tea, quietly", visibility="private"),
        PostFactory(author=author, text="About #tea, for @named", visibility="direct"),
        PostFactory(author=author, text="About #tea, paid", subscribers_only=True, in_reply_to=shown),
    ]
    quote = PostFactory(author=author, text="See #tea", quote_of=hidden[0])
    for viewer in (stranger, AnonymousUser()):
        lists = [
            selectors.public_timeline(viewer),
            selectors.tag_timeline(viewer, "tea"),
            selectors.search_posts(viewer, "tea"),
        ]
        for posts in lists:
            assert posts == [quote, shown]
            assert posts[0].quote_of is None
            assert posts[0].quote_of_id == hidden[0].pk
        assert selectors.thread(viewer, shown).descendants == []
        written = selectors.page_ids(selectors.profile_posts(viewer, author, with_replies=True))
        cards = cards_by_id(written, viewer)
        assert [card.id for card in cards] == [quote.pk, shown.pk]
        assert cards[0].quote == QuoteCard(hidden[0].pk)
    [card] = cards_by_id([quote.pk], cast["subscriber"])
    assert card.quote.text == hidden[0].text
    assert selectors.visible_ids(stranger, [shown.pk, *(post.pk for post in hidden)]) == {shown.pk}


@pytest.mark.parametrize("post_id", ["", "0", "x", "-1", "1.0", "9" * 25, "\u0661"])
def test_forged_ids_are_not_found(post_id):
    with pytest.raises(NotFound):
        selectors.get_visible_post(None, post_id)
