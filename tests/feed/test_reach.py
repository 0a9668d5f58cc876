"""The author's funnel: agrees with the ledgers, and hides what few people stand behind."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from accounts import services as accounts
from feed import services, tasks
from feed.models import AuthorReach, Receipt
from feed.reach import count, funnel, plot, record
from feed.reach.eligible import Load, eligible
from feed.receipts import store
from feed.receipts.fates import Fates
from posts import services as posts
from posts.models import Post
from posts.types import EngagementKind, SeenPost, Visibility
from tests.factories import FollowFactory, PostFactory, UserFactory
from xsocial.kernel import clock, ids

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(models, settings):
    """Somebody whose four posts three followers and two strangers meet; one follower mutes a word of them."""
    settings.GROX_HOLD_UNSCREENED = False
    author = UserFactory()
    written = [PostFactory(author=author, text=text) for text in ("One", "Two", "Three", "On drizzle")]
    models.found = [post.pk for post in written]
    followers = [UserFactory() for _ in range(3)]
    for person in followers:
        FollowFactory(follower=person, followee=author)
    accounts.add_muted_keyword(user=followers[0], phrase="drizzle")
    for person in (*followers, UserFactory(), UserFactory()):
        services.for_you(person)
    first = services.for_you(followers[1])
    seen = [SeenPost(written[0].pk, request_id=first.request_id)]
    posts.record_impressions(user=followers[1], impressions=seen)
    page = Receipt.objects.filter(viewer=followers[2]).get()
    posts.record_impressions(user=followers[2], impressions=[SeenPost(written[0].pk, request_id=page.pk)])
    for kind, seconds in ((EngagementKind.CLICK, None), (EngagementKind.DWELL, 3.0)):
        posts.record_engagement(
            user=followers[2], post_id=written[0].pk, kind=kind, request_id=page.pk, seconds=seconds
        )
    return author


def test_sums_agree_with_the_ledgers(author):
    tasks.count_reach()
    left_out, served = Counter(), 0
    for row in Receipt.objects.select_related("settings"):
        receipt = store.unpack(row)
        left_out.update({each["filter"]: each["count"] for each in receipt["dropped"] if each["count"]})
        served += sum(item["kind"] == "post" for item in receipt["items"])
    counted = Counter()
    for row in AuthorReach.objects.all():
        here = {name: figure for name, (figure, _) in row.counts.items()}
        gone = {rule: figure for rule, (figure, _) in row.left_out.items()}
        assert here["retrieved"] == here["served"] + sum(gone.values())
        assert (
            here["eligible"]
            >= here["retrieved"]
            >= here["passed"]
            >= here["ranked"]
            >= here["served"]
            >= here.get("seen", 0)
        )
        counted.update(gone)
    assert left_out.pop("DropDuplicatesFilter") > 0  # found by another source as well; each post has a line of its own
    assert counted == left_out
    assert sum(row.counts["served"][0] for row in AuthorReach.objects.all()) == served > 0


def test_followers_and_others_are_told_apart_and_counting_again_changes_nothing(author):
    written = tasks.count_reach()
    before = list(AuthorReach.objects.order_by("by_followers").values("by_followers", "counts", "left_out"))
    assert tasks.count_reach() == written == 2
    others, followers = before
    assert before == list(AuthorReach.objects.order_by("by_followers").values("by_followers", "counts", "left_out"))
    assert (others["counts"]["served"], followers["counts"]["served"][1]) == ([8, 2], 3)
    assert followers["left_out"]["MutedKeywordFilter"] == [1, 1]
    assert followers["counts"]["seen"] == [1, 1]
    assert followers["counts"]["acted"] == [1, 1]
    assert "seen" not in others["counts"]


def test_counting_reads_no_receipt_but_its_reach(author, django_assert_max_num_queries):
    with django_assert_max_num_queries(12) as captured:
        count.count_days()
    assert not [each["sql"] for each in captured.captured_queries if '"body"' in each["sql"]]
    row = Receipt.objects.first()
    assert len(bytes(row.reach)) < len(bytes(row.body)) / 3


def test_a_post_that_is_found_twice_or_reposted_counts_once(viewer, friend, models, settings):
    settings.GROX_HOLD_UNSCREENED = False
    stranger, other = UserFactory(), UserFactory()
    FollowFactory(follower=viewer, followee=other)
    post, afar = PostFactory(author=friend), PostFactory(author=stranger)
    posts.repost(user=other, post=post)
    posts.repost(user=other, post=afar)
    PostFactory(author=friend, visibility=Visibility.FOLLOWERS)
    models.found = [post.pk, afar.pk]
    services.for_you(viewer)
    tasks.count_reach()
    found = {(row.author_id, row.by_followers): row.counts for row in AuthorReach.objects.all()}
    assert {key: (counts["eligible"][0], counts["retrieved"][0]) for key, counts in found.items()} == {
        (friend.pk, True): (2, 2),
        (stranger.pk, False): (1, 1),
    }


def test_of_two_candidates_of_a_post_the_one_that_came_farther_counts():
    fates = Fates((("filters", "First"), ("filters", "Second"), ("selector", "Last")), np.array([0, -1, 1, 2, 1, 0]))
    assert record._farthest(np.array([7, 7, 8, 8, 9, 5]), fates).tolist() == [False, True, False, True, True, True]


def ends_of(post):
    return (post.deleted_at, post.repost_of.deleted_at if post.repost_of else None)


def test_eligible_is_what_a_walk_through_all_posts_and_loads_finds():
    rng = np.random.default_rng(5)
    people = [UserFactory() for _ in range(4)]
    names = np.array([person.pk for person in people])
    now_ms, day_ms = clock.now_ms(), 86_400_000
    ages = rng.integers(0, 3 * day_ms, 60)
    written = [
        Post(
            id=ids.id_at(now_ms - int(ages[n]), n),
            author=people[n % 4],
            conversation_id=1,
            visibility=(Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FOLLOWERS, Visibility.DIRECT)[n // 4 % 4],
            deleted_at=clock.from_ms(now_ms - int(ages[n]) // 2) if n % 5 == 0 else None,
        )
        for n in range(60)
    ]
    for n, post in enumerate(written[40:]):  # of a few posts several times; some before the post, which counts alike
        post.repost_of = written[n // 4]
    Post.objects.bulk_create(written)
    loads = [
        Load(ids.id_at(now_ms - int(rng.integers(0, day_ms)), n), int(names[n % 4]), names[:n:2], (2 - n % 2) * day_ms)
        for n in range(9)
    ]
    expected = Counter()
    for load in loads:
        open_to_viewer = {
            (post.repost_of or post)
            for post in written
            if load.oldest <= post.pk < load.request_id
            and all(gone is None or ids.id_at(clock.to_ms(gone)) >= load.request_id for gone in ends_of(post))
            and post.visibility != Visibility.DIRECT
            and (post.visibility == Visibility.PUBLIC or post.repost_of or post.author_id in load.follows)
        }
        expected.update(
            (post.author_id, post.author_id in load.follows)
            for post in open_to_viewer
            if post.author_id != load.viewer_id
        )
    loads = [replace(load, follows=load.follows[load.follows != load.viewer_id]) for load in loads]
    found = eligible(loads, names)
    assert {key: number for key, number in found.items() if number} == expected


def test_small_groups_stay_hidden(author, monkeypatch):
    count.count_days()
    assert {step.followers for step in funnel.of_author(author).steps} == {None}
    monkeypatch.setattr(funnel, "K", 3)
    found = {step.name: step for step in funnel.of_author(author).steps}
    assert found["served"].followers > 0
    assert (found["served"].others, found["served"].total, found["acted"].followers) == (None, None, None)


def test_one_small_rule_is_never_told_by_subtraction(monkeypatch):
    monkeypatch.setattr(funnel, "K", 20)
    lonely = funnel._hidden_in_company(
        {"AgeFilter": (70, 40), "VFFilter": (900, 300), "AuthorSocialgraphFilter": (1, 1)}
    )
    assert lonely == {"VFFilter": 900, "": 71}
    two = funnel._hidden_in_company({"AgeFilter": (70, 40), "VFFilter": (2, 2), "AuthorSocialgraphFilter": (1, 1)})
    assert two == {"": 73}
    assert funnel._hidden_in_company({"AuthorSocialgraphFilter": (1, 1)}) == {"": None}
    assert funnel._hidden_in_company({"AgeFilter": (5, 3), "VFFilter": (9, 4)}) == {"": None}


def test_the_page_draws_the_funnel_for_the_author_alone(author, client, monkeypatch):
    client.force_login(author)
    assert "Nothing to show yet" in client.get("/settings/reach").content.decode()
    monkeypatch.setattr(funnel, "K", 2)
    count.count_days()
    page = client.get("/settings/reach").content.decode()
    assert len(re.findall(r'<rect class="funnel__followers"', page)) == len(count.STEPS)
    assert "8 others" in page
    drawn = plot.of(funnel.of_author(author))
    assert max(bar.followers + bar.others for bar in drawn.bars) <= plot.WIDTH + 0.2
    client.force_login(UserFactory())
    assert "Nothing to show yet" in client.get("/settings/reach").content.decode()


def test_a_hidden_place_on_the_page_cannot_be_found_from_what_was_left_out(viewer):
    counts = {"retrieved": [450, 90], "passed": [370, 80], "ranked": [155, 40], "served": [36, 12]}
    left_out = {"TopKScoreSelector": [215, 60], "AgeFilter": [199, 50]}
    AuthorReach.objects.create(
        author=viewer, day=clock.now().date(), by_followers=False, counts=counts, left_out=left_out
    )
    more = {"counts": counts | {"served": [36, 30]}, "left_out": left_out | {"VideoFilter": [2, 1]}}
    AuthorReach.objects.create(author=viewer, day=clock.now().date(), by_followers=True, **more)
    found = funnel.of_author(viewer)
    assert [(step.followers, step.others) for step in found.steps if step.name == "served"] == [(36, None)]
    assert found.left_out
    assert {line.others for line in found.left_out} == {None}
