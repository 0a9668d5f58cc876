"""The home mixer over gRPC: real pages through a real client."""

import json
import threading
import time

import grpc
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from accounts import services as accounts
from ads import services as ads
from ads.types import MICROS, CreativeSpec
from feed import tuning
from feed.home_mixer import query_builder
from feed.home_mixer.candidate_hydrators.tweet_type_metrics_candidate_hydrator import unpack
from feed.rpc import home_mixer
from feed.rpc.generated import home_mixer_pb2 as messages
from feed.rpc.generated import home_mixer_pb2_grpc as rpc
from moderation import services as moderation
from moderation.types import Label
from posts.models import Post
from tests.factories import FollowFactory, ModeratorFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Unavailable

NUM_POSTS = 8


@pytest.fixture
def channel(serve, monkeypatch, patient_pipelines):
    """Both services; their threads close their connections after each call, so that none outlives the test."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    return serve(home_mixer.scored_posts_service(), home_mixer.for_you_feed_service())


@pytest.fixture
def viewer(transactional_db):
    """Somebody who follows one author of eight safe posts, in a world with one running campaign."""
    viewer, author, moderator = UserFactory(), UserFactory(), ModeratorFactory()
    FollowFactory(follower=viewer, followee=author)
    for _ in range(NUM_POSTS):
        post = PostFactory(author=author)
        moderation.apply_label(moderator=moderator, post=post, label=Label.GROK_SFA)
    advertiser = ads.create_advertiser(owner=UserFactory(), name="Shop", balance_micros=MICROS, is_approved=True)
    ads.create_campaign(
        advertiser=advertiser,
        name="Spring",
        creatives=[CreativeSpec(headline="New books", url="https://books.example/")],
        max_bid_micros=5 * MICROS,
        daily_budget_micros=MICROS,
        is_approved=True,
    )
    return viewer


def query(viewer, **fields):
    return messages.ScoredPostsQuery(viewer_id=viewer.pk, **fields)


def for_you(channel, viewer, **fields):
    stub = rpc.ForYouFeedServiceStub(channel)
    return stub.GetForYouFeed(messages.ForYouFeedQuery(query=query(viewer, **fields)), timeout=60)


def kinds(answer):
    return [item.WhichOneof("item") for item in answer.items]


def code_of(call, *arguments):
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments, timeout=60)
    return error.value.code()


def test_scored_posts_are_those_of_the_followed(channel, viewer):
    stub = rpc.ScoredPostsServiceStub(channel)
    answer = stub.GetScoredPosts(query(viewer, request_id=77), timeout=60)
    assert answer.request_id == 77
    assert len({post.post_id for post in answer.scored_posts}) == NUM_POSTS
    assert all(post.in_network and post.text and post.served_type for post in answer.scored_posts)
    assert {post.brand_safety_verdict for post in answer.scored_posts} == {messages.BRAND_SAFETY_VERDICT_SAFE}
    seen = [answer.scored_posts[0].post_id]
    without_seen = stub.GetScoredPosts(query(viewer, seen_ids=seen), timeout=60)
    assert seen[0] not in [post.post_id for post in without_seen.scored_posts]


def test_a_scored_post_comes_with_what_the_model_and_the_rules_said(channel, viewer, models):
    before_ms = clock.now_ms()
    stub = rpc.ScoredPostsServiceStub(channel)
    story = json.loads(
        stub.GetDebugScoredPosts(messages.DebugScoredPostsQuery(query=query(viewer)), timeout=60).debug_json
    )
    rows = {row["post_id"]: row for row in story["selected_candidates"]}
    answer = stub.GetScoredPosts(query(viewer), timeout=60)
    post = answer.scored_posts[0]
    author = Post.objects.get(pk=post.post_id).author
    assert dict(post.screen_names) == {author.pk: author.username}
    assert list(post.safety_label_types) == ["GROK_SFA"]
    assert {0, 80} <= set(unpack(post.type_metrics))  # any, in network
    assert post.type_metrics.hex() == rows[post.post_id]["type_metrics"]
    assert post.last_scored_timestamp_ms >= before_ms
    assert post.prediction_request_id > 0


def test_place_and_language_of_the_request_take_the_settings_place(channel, viewer, monkeypatch):
    asked = []

    def noted(viewer, *, request, deadline):
        asked.append(request)
        raise Unavailable("Enough.")

    monkeypatch.setattr(home_mixer.services, "scored_posts", noted)
    stub = rpc.ScoredPostsServiceStub(channel)
    fields = {"country_code": "br", "language_code": "pt-BR", "device_status": {"ip_address": "203.0.113.9"}}
    assert code_of(stub.GetScoredPosts, query(viewer, **fields)) == grpc.StatusCode.UNAVAILABLE
    assert (asked[0].country_code, asked[0].language_code, asked[0].ip_address) == ("BR", "pt-BR", "203.0.113.9")
    built = query_builder.build(viewer.pk, asked[0])
    assert (built.country_code, built.language_code) == ("BR", "pt-BR")
    for wrong in ({"country_code": "BRA"}, {"language_code": "x" * 40}):
        assert code_of(stub.GetScoredPosts, query(viewer, **wrong)) == grpc.StatusCode.INVALID_ARGUMENT


def test_a_pushed_post_leads_the_page_with_its_thread_and_who_answered(channel, viewer):
    root = Post.objects.first()
    friend, foe = UserFactory(), UserFactory()
    for who in (friend, foe):
        PostFactory(author=who, in_reply_to=root)
    accounts.block(blocker=viewer, blocked=foe)
    answer = for_you(channel, viewer, push_to_home_post_id=root.pk)
    pushed = answer.items[0].push_to_home
    assert (pushed.post_id, pushed.in_reply_to_post_id, pushed.conversation_id) == (root.pk, 0, root.conversation_id)
    assert (list(pushed.replier_ids), pushed.served_type) == ([friend.pk], "ForYouPushToHome")
    assert root.pk not in [item.post.post_id for item in answer.items if item.HasField("post")]


def test_debugging_tells_the_whole_story_and_overrides_are_for_staff(channel, viewer):
    stub = rpc.ScoredPostsServiceStub(channel)
    answer = stub.GetDebugScoredPosts(messages.DebugScoredPostsQuery(query=query(viewer)), timeout=60)
    story = json.loads(answer.debug_json)
    assert story["stats"]["selected_count"] == len(answer.scored_posts) == NUM_POSTS
    assert story["stats"]["retrieved_count"] == len(story["retrieved_candidates"])
    assert story["query"]["tuning"] == {}
    tuning.save(viewer, {"likes": 2})
    answer = stub.GetDebugScoredPosts(messages.DebugScoredPostsQuery(query=query(viewer)), timeout=60)
    assert json.loads(answer.debug_json)["query"]["tuning"] == {"likes": 2.0}
    override = messages.DebugScoredPostsQuery(query=query(viewer), feature_switch_overrides={"result_size": "3"})
    assert code_of(stub.GetDebugScoredPosts, override) == grpc.StatusCode.PERMISSION_DENIED
    viewer.is_staff = True
    viewer.save()
    assert len(stub.GetDebugScoredPosts(override, timeout=60).scored_posts) == 3
    override.feature_switch_overrides["no_such_parameter"] = "1"
    assert code_of(stub.GetDebugScoredPosts, override) == grpc.StatusCode.INVALID_ARGUMENT


def test_for_you_holds_posts_and_an_ad_between_safe_ones(channel, viewer):
    answer = for_you(channel, viewer)
    assert kinds(answer).count("post") == NUM_POSTS
    place = kinds(answer).index("ad")
    ad = answer.items[place].ad
    assert (ad.advertiser_name, ad.headline) == ("Shop", "New books")
    assert ads.record_impression(viewer=viewer, token=ad.token) is True
    assert "ad" not in kinds(for_you(channel, viewer, is_preview=True))


def test_the_timeline_continues_by_its_cursor(channel, viewer):
    stub = rpc.ForYouFeedServiceStub(channel)

    def page(**fields):
        return stub.GetForYouFeedUrt(messages.ForYouFeedQuery(query=query(viewer, **fields)), timeout=60)

    def post_ids(answer):
        return {item.post.post_id for item in answer.items if item.HasField("post")}

    # Served history is kept per platform: on another one, only what the request says holds posts back.
    first = page(cursor="not a cursor")
    assert len(post_ids(first)) == NUM_POSTS
    assert len(post_ids(page(client_app_id=1))) == NUM_POSTS
    assert not post_ids(page(client_app_id=2, cursor=first.bottom_cursor))
    newer = page(client_app_id=4, cursor=first.top_cursor, request_context="pull_to_refresh")
    assert not post_ids(newer)
    below = for_you(channel, viewer, client_app_id=3, is_bottom_request=True, served_ids=sorted(post_ids(first))[:4])
    assert len(post_ids(below)) == NUM_POSTS - 4
    fresh = PostFactory(author=Post.objects.first().author)
    assert post_ids(page(client_app_id=5, cursor=first.top_cursor)) == {fresh.pk}


@pytest.mark.django_db(transaction=True)
def test_an_unknown_viewer_is_not_found(channel):
    stub = rpc.ScoredPostsServiceStub(channel)
    assert code_of(stub.GetScoredPosts, messages.ScoredPostsQuery(viewer_id=5)) == grpc.StatusCode.NOT_FOUND
    too_large = messages.ScoredPostsQuery(viewer_id=1 << 63)
    assert code_of(stub.GetScoredPosts, too_large) == grpc.StatusCode.NOT_FOUND


def test_a_query_without_a_viewer_is_invalid(channel):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert code_of(rpc.ScoredPostsServiceStub(channel).GetScoredPosts, messages.ScoredPostsQuery()) == invalid
    assert code_of(rpc.ForYouFeedServiceStub(channel).GetForYouFeed, messages.ForYouFeedQuery()) == invalid


HUGE = 2**63


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"viewer_id": HUGE}, grpc.StatusCode.NOT_FOUND),
        ({"seen_ids": [HUGE]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"served_ids": [1] * 10_001}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"served_ids": [1] * 10_000}, grpc.StatusCode.OK),
        ({"request_id": HUGE}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"cursor": "nonsense"}, grpc.StatusCode.OK),
        ({"request_context": "moonwalk"}, grpc.StatusCode.OK),
        ({"topic_ids": [12_345], "served_ids": list(range(1, 5_000))}, grpc.StatusCode.OK),
    ],
    ids=lambda value: str(value)[:40],
)
def test_odd_queries_get_the_documented_answer(channel, viewer, fields, code):
    asked = messages.ScoredPostsQuery(**{"viewer_id": viewer.pk} | fields)
    call = rpc.ForYouFeedServiceStub(channel).GetForYouFeedUrt.future(messages.ForYouFeedQuery(query=asked), timeout=60)
    assert call.code() == code


@pytest.mark.parametrize("viewer_id", [123, 234])
def test_probing_viewers_get_an_empty_page_without_a_database(channel, viewer_id):
    probe = messages.ScoredPostsQuery(viewer_id=viewer_id, request_id=9)
    answer = rpc.ScoredPostsServiceStub(channel).GetScoredPosts(probe, timeout=60)
    page = rpc.ForYouFeedServiceStub(channel).GetForYouFeed(messages.ForYouFeedQuery(query=probe), timeout=60)
    assert (answer.request_id, len(answer.scored_posts), len(page.items)) == (9, 0, 0)


def test_both_services_can_be_discovered(channel):
    names = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {home_mixer.SCORED_POSTS, home_mixer.FOR_YOU_FEED} <= set(names)


def test_the_command_refuses_an_open_address_without_a_token(settings):
    settings.RPC_TOKEN = ""
    with pytest.raises(CommandError) as error:
        call_command("home_mixer_server", address="0.0.0.0:50051")
    assert error.value.returncode == 2


def test_a_caller_who_gives_up_cancels_the_work_behind(channel, monkeypatch):
    """The page's deadline is the caller's, and his going away ends it at the next stage."""
    begun, seen = threading.Event(), []

    def endless(viewer, *, request, deadline):
        seen.append(deadline)
        begun.set()
        while not deadline.cancelled:
            time.sleep(0.005)
        raise Unavailable("The caller has gone.", extra={"reason": "late"})

    monkeypatch.setattr(home_mixer.services, "scored_posts", endless)
    monkeypatch.setattr(home_mixer, "_viewer", lambda query: None)
    call = rpc.ScoredPostsServiceStub(channel).GetScoredPosts.future(
        messages.ScoredPostsQuery(viewer_id=5), timeout=1.0
    )
    assert begun.wait(5)
    assert 0 < seen[0].remaining_ms() < 950  # nine tenths of a second, which the wire rounds up a little
    call.cancel()
    for _ in range(200):
        if seen[0].cancelled:
            break
        time.sleep(0.01)
    assert seen[0].cancelled
