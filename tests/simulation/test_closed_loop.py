"""A tiny closed loop: real pages, real learning, every policy judged by the same truth."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from accounts.models import Block, Follow, User
from feed.home_mixer.params import Params
from feed.simulation.closed_loop import (
    CHRONOLOGICAL,
    CONTROL,
    CONTROL_ORACLE,
    FOR_YOU,
    INFORMED,
    ORACLE,
    WORLD_WEIGHTS,
    ClosedLoop,
    LoopSize,
)
from feed.simulation.policies import Judge, gini
from feed.simulation.report import loop_as_text
from feed.simulation.world import WorldSize, begin_world
from feed.thunder.post_store import Limits
from posts.models import Engagement, Impression, Post, PostCounts
from posts.types import EngagementKind, Surface
from ranking.models import ModelVersion
from tests.simulation.conftest import NOW
from xsocial.kernel import clock

TINY = LoopSize(
    users=40, posts=300, history_days=3, days=1, viewers=5, impressions=5000, first_minutes=0.02, nightly_minutes=0.02
)
KEPT = 2  # replies and reposts of each author, so that a small world has more


class Watched(ClosedLoop):
    """Counts what it showed, and what of that was not the oracle's to choose."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.num_shown, self.beyond = 0, list[int]()

    def _compare(self, day: int, viewer: int, moment: float, served: np.ndarray, popular: np.ndarray) -> None:
        allowed = self.judge.allowed(viewer, self.judge.pool(viewer, moment), moment)
        self.beyond += np.setdiff1d(served, allowed).tolist()
        self.num_shown += len(served)
        super()._compare(day, viewer, moment, served, popular)


def test_people_read_far_more_than_they_write_unless_told_otherwise():
    usual, told = LoopSize(users=50, history_days=3, days=2), LoopSize(impressions=5000)
    assert usual.world.impressions_wanted == 60 * 50 * 5
    assert told.world.impressions_wanted == 5000


@pytest.fixture(scope="module")
def lived(django_db_setup, django_db_blocker, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """One run and its figures, in the database for the tests of this module."""
    from django.db import connection, transaction
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("loop")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder, DATA_DIR=folder):
        atomic = transaction.atomic()
        atomic.__enter__()
        loop = Watched(TINY, seed=5, now_ms=clock.to_ms(NOW))
        yield loop, loop.run()
        connection.set_rollback(True)
        atomic.__exit__(None, None, None)


Lived = tuple[Watched, dict[str, Any]]


@pytest.mark.django_db
def test_all_policies_are_judged_on_the_same_pages(lived: Lived) -> None:
    _, figures = lived
    policies = figures["policies"]
    assert set(policies) == {
        FOR_YOU, CHRONOLOGICAL, "popular", "random", INFORMED, ORACLE, CONTROL, CONTROL_ORACLE,
    }  # fmt: skip
    # Whoever has seen nearly all of so small a world may get a page without anything new, which nobody is judged by.
    assert policies[ORACLE]["pages"] == policies[INFORMED]["pages"] == policies[FOR_YOU]["pages"] >= 3
    for name, means in policies.items():
        # Following may show replies that are closed to the oracle, and the control group are other people.
        assert name in (CHRONOLOGICAL, CONTROL, CONTROL_ORACLE) or means["value"] <= policies[ORACLE]["value"], name
        assert 0 < means["negative_rate"] < 1
        assert 0 <= means["author_gini"] <= 1
    assert "for you/oracle" in loop_as_text(figures)
    json.dumps(figures)


@pytest.mark.django_db
def test_for_you_and_the_oracle_choose_from_the_same_posts(lived: Lived) -> None:
    loop, _ = lived
    assert loop.num_shown > 50
    assert not loop.beyond


@pytest.mark.django_db
def test_the_control_group_reads_following_and_nothing_else(lived: Lived) -> None:
    loop, figures = lived
    assert not set(loop.control) & set(loop.viewers)
    assert len(loop.control) == len(loop.viewers) == TINY.viewers
    assert figures["policies"][CONTROL]["pages"] >= 3
    began = clock.from_ms(int(loop.world.milliseconds(np.array([TINY.history_days * 86_400.0]))[0]))
    people = [loop.users[row].pk for row in loop.control]
    seen = Impression.objects.filter(user__in=people, created_at__gt=began)
    assert set(seen.values_list("surface", flat=True)) == {Surface.HOME_FOLLOWING}


@pytest.mark.django_db
def test_what_viewers_did_is_in_the_logs_under_their_page_load(lived: Lived) -> None:
    loop, _ = lived
    viewers = [loop.users[row].pk for row in loop.viewers]
    began = clock.from_ms(int(loop.world.milliseconds(np.array([TINY.history_days * 86_400.0]))[0]))
    seen = Impression.objects.filter(user__in=viewers, created_at__gt=began)
    assert seen.filter(propensity=None).count() > 20
    pages = set(seen.values_list("request_id", flat=True))
    done = Engagement.objects.filter(user__in=viewers, created_at__gt=began, request_id__isnull=False)
    assert set(done.values_list("request_id", flat=True)) <= pages


@pytest.mark.django_db
def test_the_database_equals_the_simulated_world(lived: Lived) -> None:
    loop, _ = lived
    society, ids = loop.world.society, loop.mirror.load.user_ids
    for model, pairs, names in (
        (Follow, society.follows, ("follower_id", "followee_id")),
        (Block, society.blocks, ("blocker_id", "blocked_id")),
    ):
        known = set(zip(*(ids[end].tolist() for end in pairs.pairs()), strict=True))
        assert set(model.objects.values_list(*names)) == known
    assert Post.objects.count() == PostCounts.objects.count() == len(loop.mirror.load.post_ids)
    top = PostCounts.objects.order_by("-views")[:10]
    for counts in top:
        assert counts.views == Impression.objects.filter(post_id=counts.post_id).count()
        liked = Engagement.objects.filter(post_id=counts.post_id, kind=EngagementKind.FAVORITE)
        assert counts.favorites == liked.count()


@pytest.mark.django_db
def test_models_were_trained_before_and_after_the_day(lived: Lived) -> None:
    assert ModelVersion.objects.filter(kind=ModelVersion.Kind.RANKER).count() >= 2
    assert ModelVersion.objects.filter(status=ModelVersion.Status.PROMOTED).count() == 2
    assert User.objects.count() == TINY.users


def test_the_oracle_beats_every_single_reordering_it_can_see() -> None:
    world, history = begin_world(WorldSize(users=60, posts=400, days=4), seed=3, now_ms=clock.to_ms(NOW))
    world.recorded = history.run(range(72))
    judge, moment = Judge(history, WORLD_WEIGHTS), 72 * 3600.0
    rng = np.random.default_rng(0)
    for user in (1, 7, 20):
        pool = judge.pool(user, moment)
        best = judge.page(user, judge.best(user, pool, moment), moment)
        others = [judge.page(user, rng.permutation(pool), moment).value for _ in range(10)]
        informed = judge.page(user, judge.best(user, pool, moment, knows_posts=False), moment)
        assert best.value > informed.value > np.mean(others)
        assert best.value > max(others)
        assert len(set(judge.best(user, pool, moment).tolist())) == len(best.authors)


def test_the_oracle_is_bound_by_the_rules_of_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.simulation.policies.LIMITS", Limits(replies_per_author=KEPT))
    world, history = begin_world(WorldSize(users=60, posts=1500, days=5), seed=3, now_ms=clock.to_ms(NOW))
    world.recorded = history.run(range(72))
    judge, moment = Judge(history, WORLD_WEIGHTS), 72 * 3600.0
    posts, dropped, brought = history.posts, 0, 0

    def is_answer(row: int, followed: set[int]) -> bool:
        parent = int(posts.in_reply_to[row])
        above = int(posts.in_reply_to[parent])
        to_root = above >= 0 and posts.in_reply_to[above] < 0 and int(posts.author[parent]) in followed
        return moment - posts.seconds[parent] < 48 * 3600.0 and (above < 0 or to_root)

    def passed_on(user: int) -> set[int]:
        followed = set(history.society.follows.of(user).tolist())
        muted = set(history.society.mutes.of(user).tolist())
        found, taken = set(), Counter()
        for row in np.argsort(-posts.seconds, kind="stable").tolist():
            author, original = int(posts.author[row]), int(posts.repost_of[row])
            is_secondary = original >= 0 or (posts.in_reply_to[row] >= 0 and is_answer(row, followed))
            is_lately = 0 <= moment - posts.seconds[row] < 48 * 3600.0
            if not is_secondary or not is_lately or author not in followed - muted or taken[author] == KEPT:
                continue
            taken[author] += 1
            if original >= 0 or not history.society.seen[user, posts.in_reply_to[row]]:
                found.add(original if original >= 0 else row)
        return found

    posting = posts.author[(posts.repost_of >= 0) & (posts.seconds > moment - 48 * 3600.0)]
    for user in range(30, 50):
        annoying = np.intersect1d(history.society.follows.of(user), posting)[::2]
        history.society.mutes.add(np.full(len(annoying), user), annoying)
    for user in (1, 7, 20, *range(30, 50)):
        pool = judge.pool(user, moment)
        assert (np.abs(moment - 24 * 3600.0 - posts.seconds[pool]) <= 24 * 3600.0).all()  # of the last two days
        allowed = set(judge.allowed(user, pool, moment).tolist())
        open_to = set(np.flatnonzero(history.valid(np.array([user]), np.arange(len(posts))[None])[0]).tolist())
        originals = {row for row in pool.tolist() if posts.in_reply_to[row] < 0}
        assert allowed == originals | (passed_on(user) & open_to)
        dropped += len(set(pool.tolist()) - allowed)
        followed = set(history.society.follows.of(user).tolist())
        brought += sum(int(posts.author[row]) not in followed for row in allowed - originals)
        page = judge.best(user, np.array(sorted(allowed)), moment)
        assert len(set(posts.root[page].tolist())) == len(page)
    assert dropped > 0
    assert brought > 0


def test_replies_among_friends_count_as_in_the_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    world, history = begin_world(WorldSize(users=60, posts=1500, days=5), seed=3, now_ms=clock.to_ms(NOW))
    world.recorded = history.run(range(72))
    judge, moment, posts = Judge(history, WORLD_WEIGHTS), 72 * 3600.0, history.posts
    follows = history.society.follows
    user = next(user for user in range(60) if follows.has(follows.of(user), np.full(len(follows.of(user)), user)).any())
    rows = np.flatnonzero(posts.repost_of < 0)
    viewer, authors = np.full(len(rows), user), posts.author[rows]
    friends = follows.has(viewer, authors) & follows.has(authors, viewer) & (posts.in_reply_to[rows] < 0)

    def values() -> np.ndarray:
        return np.array([judge.page(user, rows[[place]], moment).value for place in range(len(rows))])

    counted = values()
    monkeypatch.setattr("feed.simulation.policies.PARAMS", Params(mutual_reply_boost=0.0))
    plain = values()
    assert (counted[friends] > plain[friends]).all()
    assert friends.any()
    assert np.array_equal(counted[~friends], plain[~friends])


def test_gini_of_equal_and_of_one_sided_shares() -> None:
    assert gini(np.ones(50)) == pytest.approx(0.0)
    assert gini(np.r_[np.zeros(99), 1.0]) == pytest.approx(0.99)
    assert gini(np.zeros(4)) == 0.0


@pytest.mark.parametrize(
    ("option", "value"), [("viewers", "0"), ("impressions", "0"), ("days", "0"), ("first-minutes", "nan")]
)
def test_bad_sizes_are_refused(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=f"--{option}"):
        call_command("closed_loop", f"--{option}", value)


def test_weights_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(CommandError, match="nowhere") as refused:
        call_command("closed_loop", "--weights", "/nowhere.json")
    assert refused.value.returncode == 2


def test_weights_of_unknown_heads_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text('{"applause": 1}')
    with pytest.raises(CommandError, match="applause") as refused:
        call_command("closed_loop", "--weights", str(tmp_path / "weights.json"))
    assert refused.value.returncode == 2
