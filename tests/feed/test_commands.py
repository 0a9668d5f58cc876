"""The feed's commands: what they print and how they end."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from feed.management.commands import feed_jobs
from posts.models import Engagement, Post
from tests.factories import FollowFactory, PostFactory, UserFactory

FILTERS = [
    "DropDuplicatesFilter",
    "CoreDataHydrationFilter",
    "AgeFilter",
    "SelfTweetFilter",
    "OONRetweetReplyFilter",
    "OONNsfwSimclustersFilter",
    "RetweetDeduplicationFilter",
    "IneligibleSubscriptionFilter",
    "PreviouslySeenPostsFilter",
    "PreviouslySeenPostsBackupFilter",
    "PreviouslyServedPostsFilter",
    "ControlledSourceReexposureFilter",
    "MutedKeywordFilter",
    "AuthorSocialgraphFilter",
    "PolicyExclusionFilter",
    "VideoFilter",
    "LanguageFilter",
    "TopicIdsFilter",
    "NewUserTopicIdsFilter",
    "NewUserMinEngagementFilter",
    "ScreenedFilter",
    "InventoryHoldoutFilter",
]


def run(name, *args):
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def test_feed_components_lists_the_composition():
    found = json.loads(run("feed_components", "--json"))
    assert list(found) == ["ScoredPosts", "ForYou"]
    inner, outer = found.values()
    assert len(inner) == len(outer) == 10
    assert inner["Filter"] == FILTERS
    assert inner["Scorer"] == ["PhoenixScorer", "RankingScorer", "AuthorStandingScorer", "VMRanker"]
    assert inner["PostSelectionFilter"] == ["VFFilter", "AncillaryVFFilter", "DedupConversationFilter"]
    assert outer["Source"] == [
        "ScoredPostsSource",
        "AdsSource",
        "WhoToFollowSource",
        "PromptsSource",
        "PushToHomeSource",
    ]
    assert outer["Selector"] == ["BlenderSelector"]
    assert "AgeFilter" in run("feed_components")


@pytest.mark.django_db
@pytest.mark.parametrize("names", [(), ("interests", "popular")], ids=["all", "some"])
def test_feed_jobs_runs_all_or_those_named(names):
    lines = run("feed_jobs", *names).splitlines()
    assert tuple(line.partition(":")[0] for line in lines) == (names or tuple(feed_jobs.JOBS))


def test_bench_thunder_reports_percentiles_and_a_baseline():
    sizes = ["--posts", "5000", "--authors", "200", "--followed", "50", "--max-results", "100", "--rounds", "20"]
    found = json.loads(run("bench_thunder", "--json", *sizes))
    assert {"p50_ms", "p95_ms", "p99_ms", "ratio"} <= found["lookup"].keys()
    assert found["baseline_deques"]["p50_ms"] > 0
    assert found["cold_load"]["posts"] == 5000
    assert found["over_grpc"]["added_ms"] > 0
    assert found["over_grpc"]["empty_call_ms"] > 0


@pytest.mark.django_db
def test_bench_thunder_starts_cold_from_the_database():
    PostFactory()
    assert "posts 1" in run("bench_thunder", "--database")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["bench_feed", "bench_pages"])
def test_benchmarks_of_pages_need_a_world(name):
    with pytest.raises(CommandError) as error:
        run(name)
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_bench_pages_measures_what_readers_do_and_leaves_no_trace():
    author = FollowFactory().followee
    UserFactory()
    PostFactory(author=author)
    found = json.loads(run("bench_pages", "--rounds", "1", "--json"))
    pages = {"for_you_fresh", "for_you_cached", "following", "profile", "thread"}
    assert found.keys() == pages | {f"{name}_as_json" for name in pages} | {"like", "follow", "post"}
    assert all(found[name]["ratio"] > 0 for name in pages)
    assert found["like"].keys() == {"p50_ms", "p95_ms", "p99_ms", "cpu_p50_ms"}
    assert Post.objects.count() == 1
    assert not Engagement.objects.exists()


@pytest.mark.parametrize("sizes", ["many", "10", "20000,10000"])
def test_bench_feed_names_sizes_it_cannot_make(sizes):
    with pytest.raises(CommandError, match="--sizes") as error:
        run("bench_feed", "--sizes", sizes)
    assert error.value.returncode == 2
