"""One For You page from end to end, on real stores."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import User
from feed import services, weights
from feed.candidate_pipeline import Batch
from feed.home_mixer import candidate, query_builder
from feed.models import FeatureParameter, Prompt, Receipt, ServedHistory
from feed.types import FeedRequest
from posts import services as posts
from posts.models import Post
from tests.api.test_wire import token
from tests.factories import FollowFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid

pytestmark = pytest.mark.django_db


def post_ids(page):
    return [item.post_id for item in page.items if item.kind == "post"]


def test_without_a_model_the_page_is_in_order_of_time_and_says_so(viewer, friend):
    posts = [PostFactory(author=friend) for _ in range(4)]
    page = services.for_you(viewer)
    assert post_ids(page) == [post.pk for post in reversed(posts)]
    assert page.model == ""
    assert "ranker" in page.degraded
    assert "retrieval" in page.degraded


def test_a_newcomer_who_follows_nobody_sees_what_is_popular(viewer, settings):
    settings.GROX_HOLD_UNSCREENED = False
    post = PostFactory()
    page = services.for_you(viewer)
    assert post_ids(page) == [post.pk]
    assert page.items[0].in_network is False


def test_load_more_continues_without_repeating(viewer, friend):
    for _ in range(45):
        PostFactory(author=friend)
    first = services.for_you(viewer)
    second = services.for_you(viewer, request=FeedRequest(cursor=first.cursor))
    assert len(post_ids(first)) == 35
    assert len(post_ids(second)) == 10
    assert not set(post_ids(first)) & set(post_ids(second))


@pytest.mark.parametrize("cursor", ["nonsense", "a:b:c"])
def test_a_forged_cursor_is_refused(viewer, cursor):
    with pytest.raises(Invalid):
        services.for_you(viewer, request=FeedRequest(cursor=cursor))


def test_somebody_elses_cursor_is_refused(viewer, friend):
    PostFactory(author=friend)
    page = services.for_you(viewer)
    with pytest.raises(Invalid):
        services.for_you(friend, request=FeedRequest(cursor=page.cursor))


def test_an_empty_page_is_a_page(viewer):
    page = services.for_you(viewer)
    assert page.items == ()
    assert page.cursor == ""


# --- With a model -------------------------------------------------------------------------------


def test_ranked_pages_name_model_and_weights(viewer, friend, models):
    written = [PostFactory(author=friend) for _ in range(6)]
    page = services.for_you(viewer)
    assert page.model == "test-ranker"
    assert page.weight_set == 0
    assert page.degraded == ()
    scores = [item.score for item in page.items if item.kind == "post"]
    assert scores == sorted(scores, reverse=True)
    assert set(post_ids(page)) == {post.pk for post in written}


def test_recommended_posts_are_discounted_and_need_screening(viewer, friend, models, settings):
    stranger = PostFactory(author=UserFactory())
    models.found = [stranger.pk]
    assert services.for_you(viewer).dropped["ScreenedFilter"] == 1
    settings.GROX_HOLD_UNSCREENED = False
    page = services.for_you(viewer)
    (item,) = page.items
    assert (item.post_id, item.in_network) == (stranger.pk, False)
    _, result = services.load_for_you(viewer, request=FeedRequest(platform="other"))
    assert result.query.memo.get("scored_posts").selected["oon_factor"].tolist() == [0.75]


def test_a_broken_ranker_costs_the_ranking_not_the_page(viewer, friend, models):
    PostFactory(author=friend)
    models.broken = True
    page = services.for_you(viewer)
    assert len(page.items) == 1
    assert page.model == ""
    assert page.degraded == ("ranker",)


def test_a_repost_names_who_brought_it(viewer, friend, models):
    original = PostFactory(author=UserFactory())
    posts.repost(user=friend, post=original)
    (item,) = services.for_you(viewer).items
    assert (item.post_id, item.author_id, item.reposted_by) == (original.pk, original.author_id, friend.pk)
    assert models.scored[0].post_ids.tolist() == [original.pk]


def test_blocks_mutes_and_muted_words_hold_on_the_next_page(viewer, friend, models):
    loud, rude, wordy = (UserFactory() for _ in range(3))
    for author in (loud, rude, wordy):
        accounts.follow(follower=viewer, followee=author)
    kept = PostFactory(author=friend)
    PostFactory(author=loud)
    PostFactory(author=rude)
    PostFactory(author=wordy, text="All about the Spoiler today")
    accounts.mute(muter=viewer, muted=loud)
    accounts.block(blocker=rude, blocked=viewer)
    accounts.add_muted_keyword(user=viewer, phrase="spoiler")
    page = services.for_you(viewer)
    assert post_ids(page) == [kept.pk]


def test_a_deleted_post_and_a_seen_post_are_gone(viewer, friend, models):
    gone, seen, left = (PostFactory(author=friend) for _ in range(3))
    posts.delete_post(actor=friend, post=gone)
    assert post_ids(services.for_you(viewer, request=FeedRequest(seen_ids=(seen.pk,)))) == [left.pk]
    # The client named it once; the impression filter remembers.
    assert post_ids(services.for_you(viewer, request=FeedRequest(platform="other"))) == [left.pk]


def test_direct_posts_never_enter_a_feed(viewer, friend, models):
    PostFactory(author=friend, text=f"@{viewer.username} psst", visibility="direct")
    assert services.for_you(viewer).items == ()


def test_in_network_only_asks_no_model_for_strangers(viewer, friend, models, settings):
    settings.GROX_HOLD_UNSCREENED = False
    models.found = [PostFactory().pk]
    mine = PostFactory(author=friend)
    page = services.for_you(viewer, request=FeedRequest(in_network_only=True))
    assert post_ids(page) == [mine.pk]
    assert page.items[0].source == "RankedFollowing"


def test_the_next_page_comes_from_the_cache_without_a_model_call(viewer, friend, models):
    FeatureParameter.objects.create(name="cached_posts_threshold", value=5)
    FeatureParameter.objects.create(name="result_size", value=4)
    for _ in range(12):
        PostFactory(author=friend)
    first = services.for_you(viewer)
    second = services.for_you(viewer, request=FeedRequest(cursor=first.cursor))
    assert (first.is_cached, second.is_cached) == (False, True)
    assert len(models.scored) == 1
    assert second.model == "test-ranker"
    assert len(set(post_ids(first)) | set(post_ids(second))) == 8


def test_another_model_makes_the_cached_predictions_useless(viewer, friend, models):
    FeatureParameter.objects.create(name="cached_posts_threshold", value=5)
    FeatureParameter.objects.create(name="result_size", value=4)
    for _ in range(12):
        PostFactory(author=friend)
    first = services.for_you(viewer)
    models.version = "next-ranker"
    second = services.for_you(viewer, request=FeedRequest(cursor=first.cursor))
    assert not second.is_cached
    assert second.model == "next-ranker"


def test_served_history_is_written_and_truncated(viewer, friend, models):
    parent = PostFactory(author=friend)
    reply = PostFactory(author=friend, in_reply_to=parent)
    page = services.for_you(viewer)
    record = ServedHistory.objects.get(user=viewer)
    assert record.request_id == page.request_id
    assert record.request_type == "initial"
    # One of the two stands for the conversation; a served reply counts its parent as served.
    expected = {post_ids(page)[0]} if post_ids(page) == [parent.pk] else {parent.pk, reply.pk}
    assert {entry["post_id"] for entry in record.entries} == expected


def test_only_the_newest_fifty_records_are_kept(viewer, friend, models):
    PostFactory(author=friend)
    for age in range(55):
        made = clock.now() - timedelta(hours=1, minutes=age)
        ServedHistory.objects.create(user=viewer, request_id=age, request_type="initial", served_at=made, entries=[])
    page = services.for_you(viewer)
    kept = ServedHistory.objects.filter(user=viewer).order_by("-served_at")
    assert kept.count() == 50
    assert kept.first().request_id == page.request_id


@pytest.mark.parametrize(
    ("served_minutes_ago", "suggested_hours_ago", "is_shown", "is_suggested"),
    [(9, 29, False, False), (11, 30, True, True)],
)
def test_g16_served_window_and_suggestion_fatigue(
    viewer, friend, models, served_minutes_ago, suggested_hours_ago, is_shown, is_suggested
):
    accounts.follow(follower=friend, followee=UserFactory())
    post = PostFactory(author=friend)
    history = {"user": viewer, "request_id": 1, "request_type": "initial"}
    ServedHistory.objects.create(
        **history, served_at=clock.now() - timedelta(minutes=served_minutes_ago), entries=[{"post_id": post.pk}]
    )
    ServedHistory.objects.create(
        **history,
        served_at=clock.now() - timedelta(hours=suggested_hours_ago),
        entries=[{"user_ids": [1]}],
        has_who_to_follow=True,
    )
    kinds = [item.kind for item in services.for_you(viewer).items]
    assert ("post" in kinds, "who_to_follow" in kinds) == (is_shown, is_suggested)


def test_a_test_page_leaves_no_trace(viewer, friend, models):
    PostFactory(author=friend)
    services.for_you(viewer, request=FeedRequest(is_preview=True))
    assert not ServedHistory.objects.exists()
    assert not Receipt.objects.exists()


def test_prompts_and_suggestions_have_their_places(viewer, friend, models):
    accounts.follow(follower=friend, followee=UserFactory())
    Prompt.objects.create(title="Welcome")
    Prompt.objects.create(title="Later", is_active=False)
    for _ in range(8):
        PostFactory(author=friend)
    kinds = [item.kind for item in services.for_you(viewer).items]
    assert kinds[0] == "prompt"
    assert kinds[5] == "who_to_follow"
    assert kinds.count("prompt") == 1
    again = services.for_you(viewer, request=FeedRequest())
    assert "who_to_follow" not in [item.kind for item in again.items]


def test_a_pushed_post_is_pinned_if_it_may_be_seen(viewer, friend, models):
    post = PostFactory(author=friend)
    page = services.for_you(viewer, request=FeedRequest(push_to_home_post_id=post.pk))
    assert (page.items[0].kind, page.items[0].post_id) == ("push_to_home", post.pk)
    assert [item.post_id for item in page.items].count(post.pk) == 1
    secret = PostFactory(author=UserFactory(), visibility="private")
    page = services.for_you(viewer, request=FeedRequest(push_to_home_post_id=secret.pk))
    assert "push_to_home" not in [item.kind for item in page.items]


def test_a_pushed_post_says_who_answered_it(client, viewer, friend, models):
    post = PostFactory(author=friend)
    answers = [
        PostFactory(in_reply_to=post, author=UserFactory(display_name=name)) for name in ("Ada", "Bo", "Cy", "Di")
    ]
    client.force_login(viewer)
    assert "From your notifications · Answered by Di, Cy, Bo" in client.get(f"/?post={post.pk}").content.decode()
    answer = token(viewer).get(f"/api/v1/timelines/for_you?push_to_home_post_id={post.pk}")
    first = answer.json()["items"][0]
    assert (first["kind"], first["status"]["id"]) == ("push_to_home", str(post.pk))
    assert [account["id"] for account in first["accounts"]] == [str(a.author_id) for a in reversed(answers)][:3]


def test_faces_of_the_followed_who_answered_stand_beside_a_post(client, viewer, friend, models):
    other = UserFactory(display_name="Ada")
    FollowFactory(follower=viewer, followee=other)
    post = PostFactory(author=friend)
    reply = PostFactory(author=other, in_reply_to=post)
    # Of a conversation the page has the best: let that be the post.
    models.liking = {post.pk: 0.9, reply.pk: 0.1}
    FeatureParameter.objects.create(name="enable_facepile", value=True)
    FeatureParameter.objects.create(name="facepile_max_posts", value=5)
    User.objects.filter(pk=viewer.pk).update(followers_count=1_000)
    client.force_login(viewer)
    assert "Answered by Ada" in client.get("/").content.decode()


def test_overrides_are_for_staff(viewer, friend, models):
    for _ in range(3):
        PostFactory(author=friend)
    request = FeedRequest(overrides={"result_size": 1}, is_preview=True)
    assert len(services.for_you(viewer, request=request).items) == 3
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    assert len(services.for_you(viewer, request=request).items) == 1


def test_a_viewer_is_needed():
    with pytest.raises(Invalid):
        query_builder.build(0, FeedRequest())


def test_hydration_takes_at_most_eight_queries_whatever_the_number(viewer, friend, models):
    quoted = PostFactory(author=UserFactory())
    for _ in range(20):
        PostFactory(author=friend, quote_of=quoted)
    counts = {}
    for wanted in (1, 1, 20):  # twice, since a process reads some things once in a while
        FeatureParameter.objects.update_or_create(name="thunder_max_results", defaults={"value": wanted})
        request = FeedRequest(is_preview=True, platform=f"p{wanted}")
        with CaptureQueriesContext(connection) as captured:
            services.for_you(viewer, request=request)
        counts[wanted] = len(captured)
    assert counts[1] == counts[20]
    with CaptureQueriesContext(connection) as captured:
        _hydrators(viewer)
    assert len(captured) <= 8


def _hydrators(viewer):
    """Every fresh hydrator of the inner pipeline on twenty posts."""
    inner = services.pipelines()[0]
    query = query_builder.build(viewer.pk, FeedRequest())
    ids = np.fromiter(Post.objects.values_list("pk", flat=True)[:20], np.int64)
    authors = np.fromiter(Post.objects.values_list("author_id", flat=True)[:20], np.int64)
    batch = Batch.of(candidate.SCHEMA, post_id=ids, author_id=authors)
    connection.queries_log.clear()
    for part in inner.hydrators:
        if part.enabled(query):
            part.hydrate(query, batch)


def test_weights_change_the_very_next_page(viewer, friend, models):
    for _ in range(3):
        PostFactory(author=friend)
    before = services.for_you(viewer, request=FeedRequest(is_preview=True))
    chosen = weights.create(name="No likes", weights={"favorite": 0.0})
    weights.activate(weight_set=chosen, reason="trying")
    after = services.for_you(viewer, request=FeedRequest(is_preview=True))
    assert (before.weight_set, after.weight_set) == (0, chosen.number)
    assert after.items[0].score < before.items[0].score
