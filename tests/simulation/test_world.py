"""The generator alone: same seed same world, times in order, rates as in the table."""

import numpy as np
import pytest

from feed.simulation import report, text
from feed.simulation.authoring import DAY
from feed.simulation.behaviour import BASE_RATES, HEADS
from feed.simulation.logging_policy import POLICIES, fill_pages, policy_weights
from feed.simulation.society import PairSet, put_in_rings
from feed.simulation.topics import LANGUAGES, all_topics, families
from feed.simulation.world import World, WorldSize, build_world
from posts.types import EngagementKind
from tests.simulation.conftest import SIZE


def test_there_are_25_topics_in_6_families_with_words_in_every_language() -> None:
    assert (len(all_topics()), len(families())) == (25, 6)
    for topic in all_topics():
        assert len(topic.subtopics) >= 4
        assert all(len(subtopic.nouns) >= 5 for subtopic in topic.subtopics)
        assert set(topic.foreign) == set(LANGUAGES) - {"en"}


def test_same_seed_gives_the_same_world(small_world: World) -> None:
    again = build_world(SIZE, seed=3, now_ms=small_world.now_ms)
    np.testing.assert_array_equal(again.posts.seconds, small_world.posts.seconds)
    for name, values in small_world.recorded.impressions.items():
        np.testing.assert_array_equal(again.recorded.impressions[name], values, err_msg=name)


def test_another_seed_gives_another_world(small_world: World) -> None:
    other = build_world(SIZE, seed=4, now_ms=small_world.now_ms)
    assert not np.array_equal(other.people.quality, small_world.people.quality)


def test_nothing_happens_before_its_cause_or_after_now(small_world: World) -> None:
    posts, made, done = small_world.posts, small_world.recorded.impressions, small_world.recorded.engagements
    for column in ("in_reply_to", "quote_of", "repost_of"):
        children = np.flatnonzero(getattr(posts, column) >= 0)
        assert len(children)
        assert (posts.seconds[children] > posts.seconds[getattr(posts, column)[children]]).all()
    assert (made["seconds"] >= posts.seconds[made["row"]]).all()
    assert (done["seconds"] >= posts.seconds[done["row"]]).all()
    assert max(posts.seconds.max(), made["seconds"].max(), done["seconds"].max()) < small_world.end


def test_nobody_sees_a_post_twice_or_their_own(small_world: World) -> None:
    made = small_world.recorded.impressions
    pairs = made["user"].astype(np.int64) * len(small_world.posts) + made["row"]
    assert len(np.unique(pairs)) == len(pairs)
    assert (small_world.posts.author[made["row"]] != made["user"]).all()


def test_threads_are_trees_with_one_root(small_world: World) -> None:
    posts = small_world.posts
    replies = np.flatnonzero(posts.in_reply_to >= 0)
    parents = posts.in_reply_to[replies]
    np.testing.assert_array_equal(posts.root[replies], posts.root[parents])
    np.testing.assert_array_equal(posts.depth[replies], posts.depth[parents] + 1)
    assert posts.depth.max() >= 3


def test_the_last_two_days_are_denser(small_world: World) -> None:
    recent = (small_world.posts.seconds > small_world.end - 2 * DAY).mean()
    assert recent > 2 / SIZE.days


def test_rates_are_near_their_targets(small_world: World) -> None:
    rates = report.summary(small_world)["rates"]
    for head in ("favorite", "click", "dwell"):
        target = {**BASE_RATES, "dwell": 0.25}[head]
        assert 0.5 * target < rates[head] < 2.0 * target, head


@pytest.fixture(scope="module")
def larger_world() -> World:
    return build_world(WorldSize(users=200, posts=3000, days=8), seed=1, now_ms=1_790_000_000_000)


def test_rates_of_a_larger_world_do_not_drift(larger_world: World) -> None:
    rates = report.summary(larger_world)["rates"]
    for head in ("favorite", "click", "dwell"):
        assert rates[head] == pytest.approx({**BASE_RATES, "dwell": 0.25}[head], rel=0.08), head


def test_the_oracle_is_better_than_popularity_but_not_perfect(larger_world: World) -> None:
    figures = report.summary(larger_world)
    assert report.complaints(figures) == []
    assert figures["favorite_auc"]["oracle"] < 0.97


def test_complaints_name_a_world_that_is_too_easy_and_one_that_is_too_noisy() -> None:
    assert report.complaints({"favorite_auc": {"oracle": 0.8, "popularity": 0.79}})[0].startswith("too easy")
    assert report.complaints({"favorite_auc": {"oracle": 0.6, "popularity": 0.5}})[0].startswith("too noisy")


def test_truth_covers_the_last_two_days_with_probabilities(small_world: World) -> None:
    truth, made = small_world.recorded.truth, small_world.recorded.impressions
    assert truth["probabilities"].shape == (len(truth["impression"]), len(HEADS))
    assert ((truth["probabilities"] >= 0) & (truth["probabilities"] <= 1)).all()
    assert made["seconds"][truth["impression"]].min() > small_world.end - 2.1 * DAY


def test_every_made_post_has_its_engagement(small_world: World) -> None:
    posts, done = small_world.posts, small_world.recorded.engagements
    for column, kind in (
        ("in_reply_to", EngagementKind.REPLY),
        ("quote_of", EngagementKind.QUOTE),
        ("repost_of", EngagementKind.REPOST),
    ):
        about = getattr(posts, column)
        noted = done["kind"] == kind
        np.testing.assert_array_equal(np.sort(done["made"][noted]), np.flatnonzero(about >= 0))
        np.testing.assert_array_equal(done["row"][noted], about[done["made"][noted]])


def test_texts_are_varied_and_fit_the_limit(small_world: World) -> None:
    handles = text.handles(3, len(small_world.people))
    writer = text.Writer(small_world.posts, small_world.people, handles, 3)
    texts = [writer.text(row) for row in range(len(small_world.posts))]
    said = [words for words in texts if words]
    assert len(said) == int((small_world.posts.repost_of < 0).sum())
    assert max(map(len, said)) <= 500
    assert len(set(said)) > 0.85 * len(said)


def test_propensities_of_the_first_place_sum_to_one() -> None:
    """Over many draws, 1/propensity weights every shown post to the number of posts in the pool."""
    rng = np.random.default_rng(0)
    sessions, pool = 4000, 12
    weights = policy_weights(
        valid=np.ones((sessions, pool), dtype=bool),
        age_hours=np.broadcast_to(np.arange(pool) * 2.0, (sessions, pool)),
        in_network=np.broadcast_to(np.arange(pool) % 2 == 0, (sessions, pool)),
        popularity=np.broadcast_to(np.linspace(0, 3, pool), (sessions, pool)),
        taste=np.broadcast_to(np.linspace(1, -1, pool), (sessions, pool)),
    )
    pages = fill_pages(rng, weights, 5)
    assert set(pages.policy) == set(range(len(POLICIES)))
    inverse = 1.0 / pages.propensity
    assert inverse[:, 0].mean() == pytest.approx(pool, rel=0.1)
    assert inverse[:, 3].mean() == pytest.approx(pool - 3, rel=0.15)


def test_pair_set_adds_and_discards() -> None:
    pairs = PairSet(10, np.array([1, 1]), np.array([2, 3]))
    pairs.add(np.array([1, 4, 4]), np.array([2, 5, 5]))
    pairs.discard(np.array([1, 9]), np.array([3, 9]))
    assert [tuple(pair) for pair in np.stack(pairs.pairs(), axis=1).tolist()] == [(1, 2), (4, 5)]


def _with(small_world: World, scenario: str) -> World:
    return build_world(SIZE, seed=3, now_ms=small_world.now_ms, scenarios=[scenario])


@pytest.mark.parametrize("scenario", ["spam-ring", "breaking-event", "new-viewer", "new-author"])
def test_scenarios_change_who_is_there_and_what_happens(small_world: World, scenario: str) -> None:
    world = _with(small_world, scenario)
    changed = {
        "spam-ring": world.people.is_spammer.sum() >= small_world.people.is_spammer.sum() + 12,
        "breaking-event": world.events.strength[-1] > 3,
        "new-viewer": world.people.joined_day[2] > -0.1,
        "new-author": (world.people.is_hidden_gem & (world.people.joined_day == -2.0)).any(),
    }
    assert changed[scenario]


@pytest.mark.parametrize("scenario", ["block-mob", "block-mob-linked"])
def test_a_mob_blocks_one_author_within_a_day(small_world: World, scenario: str) -> None:
    world = _with(small_world, scenario)
    blocks = world.society.blocks
    victim = int(np.bincount(blocks.pairs()[1]).argmax())
    mob = np.flatnonzero(blocks.has(np.arange(len(world.people)), np.full(len(world.people), victim)))
    assert len(mob) >= len(world.people) // 4
    assert not world.society.follows.has(mob, np.full(len(mob), victim)).any()
    among = world.society.follows.has(mob[:, None], mob[None, :]).mean()
    assert (among > 0.5) == (scenario == "block-mob-linked")
    done = world.recorded.engagements
    noted = (done["kind"] == EngagementKind.BLOCK_AUTHOR) & np.isin(done["user"], mob)
    assert (world.posts.author[done["row"][noted]] == victim).sum() >= len(world.people) // 4


def test_a_storm_is_controversial(small_world: World) -> None:
    storm = _with(small_world, "controversy-storm")
    heated = storm.posts.controversy[storm.posts.burst > 1.0]
    assert len(heated) > 5
    assert heated.mean() > 0.8


def test_sleepers_do_nothing_for_a_week_and_then_return(small_world: World) -> None:
    world = _with(small_world, "sleepers-return")
    away = np.isfinite(world.people.away_from)
    made = world.recorded.impressions
    theirs = made["seconds"][away[made["user"]]]
    assert away.sum() > 5
    assert len(theirs)
    assert theirs.min() > world.end - 0.55 * DAY


def test_a_second_language_community_keeps_to_itself(small_world: World) -> None:
    world = _with(small_world, "second-language")
    spanish = world.people.language == LANGUAGES.index("es")
    source, target = world.society.follows.pairs()
    theirs = spanish[source] & (source > 2)
    assert spanish.mean() > 0.2
    assert spanish[target[theirs]].mean() > 2 * spanish[target[~theirs]].mean()


def test_closed_posts_are_read_by_those_they_are_for(larger_world: World) -> None:
    world = larger_world
    posts, made = world.posts, world.recorded.impressions
    author, society = posts.author[made["row"]], world.society
    paid = posts.subscribers_only[made["row"]]
    assert posts.subscribers_only.any()
    assert society.subscriptions.has(made["user"][paid], author[paid]).all()
    locked = world.people.is_locked[author]
    knew = np.isin(made["user"].astype(np.int64) * 1000 + author, _ever_followed(world))
    assert locked.any()
    assert knew[locked].all()
    closed = world.people.is_locked[posts.author] | posts.subscribers_only
    for column in ("repost_of", "quote_of"):
        about = getattr(posts, column)
        assert not closed[about[about >= 0]].any()


def _ever_followed(world: World) -> np.ndarray:
    relations, first = world.recorded.relations, world.first_follows
    made = relations["code"] == 0
    return np.append(
        first.source * 1000 + first.target, relations["first"][made].astype(np.int64) * 1000 + relations["second"][made]
    )


def test_locked_accounts_have_requests_from_people_who_do_not_follow_them(small_world: World) -> None:
    requests, first = small_world.requests, small_world.first_follows
    n = len(small_world.people)
    assert len(requests)
    assert small_world.people.is_locked[requests.target].all()
    assert not np.isin(requests.source * n + requests.target, first.source * n + first.target).any()


def test_rings_keep_the_newest_rows_of_each() -> None:
    rings, turned = np.full((2, 3), -1), np.zeros(2, dtype=np.int64)
    put_in_rings(rings, turned, np.array([0, 1, 0, 0, 0, 0]), np.arange(6))
    put_in_rings(rings, turned, np.array([1]), np.array([6]))
    assert sorted(rings[0].tolist()) == [3, 4, 5]
    assert sorted(rings[1].tolist()) == [-1, 1, 6]
    assert turned.tolist() == [5, 2]
