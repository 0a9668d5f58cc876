"""What is written after the response: logs, caches for training, counters."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from ads.blending import Verdict
from feed import services
from feed.candidate_pipeline import Batch, Result
from feed.home_mixer import feed_item, records, served_types
from feed.home_mixer.candidate import SCHEMA, YES
from feed.home_mixer.side_effects.ads_injection_logging_side_effect import AdsInjectionLoggingSideEffect
from feed.home_mixer.side_effects.client_events_kafka_side_effect import ClientEventsKafkaSideEffect, events
from feed.home_mixer.side_effects.mutual_follow_stats_side_effect import MutualFollowStatsSideEffect
from feed.home_mixer.side_effects.phoenix_experiments_side_effect import PhoenixExperimentsSideEffect
from feed.home_mixer.side_effects.phoenix_request_cache_side_effect import PhoenixRequestCacheSideEffect, key
from feed.home_mixer.side_effects.reranking_kafka_side_effect import RerankingKafkaSideEffect
from feed.home_mixer.side_effects.scored_stats_side_effect import ScoredStatsSideEffect
from feed.home_mixer.side_effects.served_candidates_kafka_side_effect import ServedCandidatesKafkaSideEffect
from feed.types import FeedRequest
from ranking.types import Scores
from tests.factories import PostFactory
from xsocial.kernel import metrics, redis
from xsocial.kernel.errors import Unavailable

from .batches import VIEWER, batch, heads, live, query


def result(asked, selected, rest=None):
    return Result(asked, selected, (), selected, rest if rest is not None else Batch.empty(selected.schema))


def written(log, effect, outcome):
    """Records the effect adds to a log, oldest first."""
    before = redis.client("events").xlen(f"feed:log:{log}")
    effect.run(outcome)
    added = redis.client("events").xlen(f"feed:log:{log}") - before
    return list(records.newest(log, added))[::-1] if added else []


def ranked(n=3, **columns):
    return batch(
        author_id=list(range(101, 101 + n)),
        score=np.linspace(0.9, 0.1, n),
        weighted_score=np.linspace(0.9, 0.1, n),
        prediction_id=[77] * n,
        scored_at_ms=[5] * n,
        in_network=[YES] * n,
        served_type=[served_types.PHOENIX] * n,
        heads=heads(*[{"favorite": 0.2, "not_dwelled": 0.5}] * n),
        **columns,
    )


# --- Reranking ----------------------------------------------------------------------------------


def test_the_reranking_log_holds_the_best_fifty_with_their_heads():
    selected, rest = ranked(35), ranked(40, post_id=list(range(100, 140)))
    (record,) = written(records.RERANKING, RerankingKafkaSideEffect(), result(query(), selected, rest))
    assert (record["count"], len(record["posts"]), record["prediction_id"]) == (75, 50, 77)
    scores = [post["score"] for post in record["posts"]]
    assert scores == sorted(scores, reverse=True)
    first = record["posts"][0]
    assert (first["heads"]["favorite"], first["heads"]["reply"]) == (0.2, 0.0)
    assert not {"not_dwelled", "click_dwell_time"} & set(first["heads"])
    assert first["is_cached"] is True


def test_one_request_in_twenty_is_logged():
    hits = sum(RerankingKafkaSideEffect().enabled(query(request_id=n)) for n in range(4_000))
    assert 0.035 < hits / 4_000 < 0.065
    assert not RerankingKafkaSideEffect().enabled(query(params={"reranking_log_share": 0.0}))


def test_an_empty_page_is_not_logged():
    empty = result(query(), Batch.empty(SCHEMA))
    assert written(records.RERANKING, RerankingKafkaSideEffect(), empty) == []
    ScoredStatsSideEffect().run(empty)


# --- Experiments --------------------------------------------------------------------------------


def test_shadow_traffic_is_a_fixed_share_of_requests(viewer_query):
    hits = [viewer_query(request_id=n).is_shadow_traffic for n in range(1, 1_001)]
    assert 0.07 < np.mean(hits) < 0.13
    assert hits[:200] == [viewer_query(request_id=n).is_shadow_traffic for n in range(1, 201)]
    assert PhoenixExperimentsSideEffect().enabled(query(is_shadow_traffic=True))
    assert not PhoenixExperimentsSideEffect().enabled(query())


@pytest.fixture
def viewer_query(monkeypatch):
    """Queries as the builder makes them, with a tenth of the requests as shadow traffic."""
    from accounts.selectors.graph import ViewerSettings
    from feed.home_mixer import query_builder

    monkeypatch.setattr(query_builder, "_viewer_data", lambda viewer_id, budget_ms: ViewerSettings())
    monkeypatch.setattr("feed.weights.live", lambda viewer: live(shadow_percent=10.0))
    return lambda request_id: query_builder.build(VIEWER, FeedRequest(request_id=request_id))


def test_waiting_models_predict_the_page_and_failing_ones_are_left_out(monkeypatch):
    def score(*, candidates, version, **_):
        if version == "broken":
            raise Unavailable("broken")
        chance = np.full((len(candidates), 1), 0.25, np.float32)
        return Scores(("reply",), chance, chance, ("dwell_time",), chance * 8, version)

    monkeypatch.setattr("ranking.services.shadow_models", lambda: ("next", "broken"))
    monkeypatch.setattr("ranking.services.score", score)
    asked = query(is_shadow_traffic=True, scoring_sequence=())
    rows = written(records.EXPERIMENTS, PhoenixExperimentsSideEffect(), result(asked, ranked(2)))
    assert [row["post_id"] for row in rows] == [1, 2]
    assert rows[0]["scores"]["phoenix.next.reply"] == 0.25
    assert rows[0]["scores"]["phoenix.next.dwell_time"] == 2.0
    assert not any("broken" in name for name in rows[0]["scores"])
    without = result(query(is_shadow_traffic=True), ranked(2))
    assert written(records.EXPERIMENTS, PhoenixExperimentsSideEffect(), without) == []


# --- Statistics ---------------------------------------------------------------------------------


def value(name, *labels):
    metric = metrics._metrics[name]
    return metric.labels(*labels)._value.get()


def test_stats_say_how_far_a_source_gets_on_fresh_requests_only():
    outcome = result(query(), ranked(12), ranked(30, post_id=list(range(50, 80))))
    ScoredStatsSideEffect().run(outcome)
    places = ("feed_source_places", served_types.PHOENIX)
    before = [value(*places, place) for place in ("top_1", "top_10", "top_35", "served")]
    ScoredStatsSideEffect().run(outcome)
    after = [value(*places, place) for place in ("top_1", "top_10", "top_35", "served")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 10, 35, 12]
    missing = value("feed_scores_known", "reply", "missing")
    replayed = replace(outcome, query=query(has_cached_posts=True))
    ScoredStatsSideEffect().run(replayed)
    assert value(*places, "served") == after[-1]
    assert value("feed_scores_known", "reply", "missing") == missing + 42


def test_mean_likeness_of_circles_per_page():
    effect = MutualFollowStatsSideEffect()
    assert effect.enabled(query(params={"enable_jaccard": True}))
    assert not effect.enabled(query())
    effect.run(result(query(), batch(mutual_follow_jaccard=[0.2, np.nan, 0.4])))
    total = metrics._metrics["feed_mutual_follow"]._sum.get()
    effect.run(result(query(), batch(mutual_follow_jaccard=[0.2, np.nan, 0.4])))
    assert metrics._metrics["feed_mutual_follow"]._sum.get() - total == pytest.approx(0.3)
    effect.run(result(query(), batch(mutual_follow_jaccard=[np.nan])))
    assert metrics._metrics["feed_mutual_follow"]._sum.get() - total == pytest.approx(0.3)


# --- Model inputs -------------------------------------------------------------------------------


def kept(name):
    found = redis.client("cache").get(name)
    return orjson.loads(found) if found else None


def test_model_inputs_are_kept_for_training():
    asked = replace(query(user_gender="woman"), prediction_id=9_001)
    selected = ranked(2, repost_of_id=[0, 55], repost_of_user_id=[0, 56], favorites=[3.0, np.nan])
    selected.assign("prediction_id", np.array([9_001, 9_001]))
    PhoenixRequestCacheSideEffect().run(result(asked, selected))
    assert kept(key(9_001))["gender"] == "woman"
    assert "scoring_sequence" not in kept(key(9_001))
    assert kept(key(9_001, 1))["favorites"] == 3
    repost = kept(key(9_001, 55))
    assert (repost["author_id"], repost["reposting_post_id"], repost["is_repost"]) == (56, 2, True)
    assert 0 < redis.client("cache").ttl(key(9_001)) <= 10_800


def test_a_replayed_request_is_not_kept_again_nor_one_without_predictions():
    asked = replace(query(has_cached_posts=True), prediction_id=9_002)
    selected = ranked(1)
    selected.assign("prediction_id", np.array([9_003]))
    PhoenixRequestCacheSideEffect().run(result(asked, selected))
    assert kept(key(9_002)) is None
    assert kept(key(9_003, 1)) is not None
    PhoenixRequestCacheSideEffect().run(result(replace(query(), prediction_id=9_004), batch(author_id=[1])))
    assert kept(key(9_004)) is None
    assert not PhoenixRequestCacheSideEffect().enabled(query(params={"enable_request_cache": False}))


# --- The page -----------------------------------------------------------------------------------


def page(asked, *groups, rest=()):
    selected = Batch.concat(feed_item.SCHEMA, [feed_item.items(kind, values) for kind, values in groups])
    left = Batch.concat(feed_item.SCHEMA, [feed_item.items(kind, values) for kind, values in rest])
    return result(asked, selected, left)


def post(post_id=1, **row):
    facts = {"type_metrics": bytes([3]), "video_ms": None, "quote_of_id": 0, **row}
    return feed_item.PostRow(post_id, 5, "text", 0.5, Verdict.SAFE, source=served_types.PHOENIX, row=facts)


class Ad:
    """An ad as the page holds it."""

    id, campaign_id, impression_id, author_id, insert_position = 4, 8, 15, 16, 2
    advertiser_name = "Boats Ltd"


def test_the_page_is_logged_with_its_ads():
    outcome = page(query(), ("post", [post()]), ("ad", [Ad()]), rest=[("ad", [Ad()])])
    (record,) = written(records.ADS, AdsInjectionLoggingSideEffect(), outcome)
    assert (record["fetched_ads"], record["served_ads"]) == (2, 1)
    assert record["timeline"][0]["verdict"] == "safe"
    assert record["timeline"][1] == {
        "position": 1,
        "kind": "ad",
        "ad_id": 4,
        "campaign_id": 8,
        "impression_id": 15,
        "author_id": 16,
        "wanted_position": 2,
    }
    assert not AdsInjectionLoggingSideEffect().enabled(query(is_preview=True))
    assert not AdsInjectionLoggingSideEffect().enabled(query(params={"enable_ads_log": False}))


def test_shadow_traffic_logs_every_item_served():
    asked = query(is_shadow_traffic=True, request_context="pull_to_refresh", country_code="NL")
    module, push = feed_item.WhoToFollowModule((7, 8)), feed_item.PushToHomeItem(9, 10)
    outcome = page(
        asked,
        ("post", [post()]),
        ("ad", [Ad()]),
        ("who_to_follow", [module]),
        ("prompt", ["p"]),
        ("push_to_home", [push]),
    )
    rows = written(records.SERVED, ServedCandidatesKafkaSideEffect(), outcome)
    names = ["tweet-1", "promotedTweet-4", "who-to-follow", "prompt", "tweet-9"]
    assert [row["entry_id"] for row in rows] == names
    assert {row["provenance"] for row in rows} == {"pull_to_refresh"}
    assert {row["query_type"] for row in rows} == {"initial"}
    assert ServedCandidatesKafkaSideEffect().enabled(asked)
    assert not ServedCandidatesKafkaSideEffect().enabled(query())


def test_client_events_name_what_was_served():
    asked = query(has_cursor=True, is_bottom_request=True, request_context="foreground")
    found = events(page(asked, ("post", [post(1), post(2, video_ms=9.0, quote_of_id=3)]), ("ad", [Ad()])))
    assert found["home:served_tweets:count"] == 3
    assert found["home:injected:count"] == 2
    assert found["home:promoted:count"] == 1
    assert found["who_to_follow:served_users:count"] == 0
    assert found["served_type:foryouphoenixretrieval:count"] == 2
    assert found["type:any:count"] == 2
    assert found["type:repost:count"] == 2
    assert found["with_video_duration:num_videos:count"] == 1
    assert {name for name in found if "size" in name} == {
        f"{kind}:size_at_most_{size}:count"
        for kind in ("request", "get_older", "request_context_foreground")
        for size in (5, 10, 35)
    }


def test_serve_cards_are_reposts_quotes_and_originals():
    repost = feed_item.PostRow(
        3, 5, "", 0.1, None, repost_of_id=9, row={"quote_of_id": 4, "type_metrics": b"", "video_ms": None}
    )
    found = events(page(query(), ("post", [post(1), post(2, quote_of_id=3), repost])))
    assert [found[f"card:{card}:count"] for card in ("original", "quote", "repost")] == [1, 1, 1]


def test_an_empty_page_is_an_event_and_zeros_are_not_sent():
    effect = ClientEventsKafkaSideEffect()
    effect.run(page(query()))
    before = sent()
    effect.run(page(query()))
    rises = {event: count - before.get(event, 0) for event, count in sent().items()}
    changed = {event.removeprefix("client:home:home:") for event, rise in rises.items() if rise}
    sizes = ("size_is_empty", "size_at_most_5", "size_at_most_10", "size_at_most_35")
    assert changed == {f"{kind}:{size}:count" for kind in ("request", "get_initial") for size in sizes}


def sent():
    """Client events so far, by name."""
    samples = metrics._metrics["feed_client_events"].collect()[0].samples
    return {sample.labels["event"]: sample.value for sample in samples if sample.name.endswith("_total")}


@pytest.mark.django_db
def test_a_whole_page_leaves_its_logs(viewer, friend, models, monkeypatch):
    PostFactory(author=friend)
    monkeypatch.setattr("feed.weights.live", lambda viewer: live(reranking_log_share=1.0, shadow_percent=100.0))
    page_shown = services.for_you(viewer)
    for log in (records.RERANKING, records.ADS):
        assert next(records.newest(log, 1))["request_id"] == page_shown.request_id
    assert next(records.newest(records.SERVED, 1))["trace"] == page_shown.request_id
