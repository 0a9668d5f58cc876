"""The store against a brute-force model of its rules, and the cases the rules are made of."""

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feed.thunder.post_store import PostColumns, PostStore, Request, with_limits

from .brute_force import BruteForce

NOW = 1_800_000_000_000
HOUR = 3_600_000
VIEWER = 1


def post(post_id, author, minutes=0, *, parent=0, to=0, source=0, source_user=0, root=0, video=0):
    """One row; ``minutes`` before now."""
    return (post_id, author, NOW - minutes * 60_000, parent, to, source, source_user, root, video)


def store_of(*rows, **limits):
    store = PostStore(with_limits(**limits), capacity=4)
    store.insert(PostColumns.of(rows), now_ms=NOW)
    return store


def ask(store, following, *, exclude=(), wanted=0, videos=False, now=NOW, viewer=VIEWER, deadline=None):
    request = Request(viewer, np.array(following, np.int64), np.array(exclude, np.int64), wanted, videos, deadline)
    return store.lookup(request, now_ms=now)


def ids(store, following, **options):
    return ask(store, following, **options).posts.post_id.tolist()


THREAD = (
    post(1000, 10, 60, root=1000),
    post(1001, 2, 50, parent=1000, to=10, root=1000),
    post(1002, 3, 40, parent=1001, to=2, root=1000),
    post(1003, 4, 30, parent=1001, to=99, root=1000),
    post(1006, 3, 20, parent=1002, to=2, root=1000),
    post(1005, 5, 10, source=900, source_user=VIEWER),
)


def test_reply_rule_keeps_and_drops_as_published():
    assert ids(store_of(*THREAD), [2, 3, 4, 5]) == [1002, 1001]


def test_a_reply_whose_parent_was_deleted_or_never_came_is_dropped():
    store = store_of(*THREAD)
    store.delete([1000], now_ms=NOW)
    assert ids(store, [2, 3]) == [1002]  # 1001's parent is gone; 1002 still answers 1001
    assert ids(store_of(post(5, 2, 1, parent=4, to=3, root=4)), [2]) == []


def test_a_late_parent_is_connected_to_the_children_that_waited():
    store = store_of(post(11, 2, 5, parent=10, to=3, root=10))
    assert ids(store, [2]) == []
    store.insert(PostColumns.of([post(10, 3, 6, root=10)]), now_ms=NOW)
    assert ids(store, [2]) == [11]


def test_delete_before_create_and_twice_and_create_twice():
    store = PostStore()
    store.delete([7, 7], now_ms=NOW)
    assert store.insert(PostColumns.of([post(7, 2), post(8, 2)]), now_ms=NOW) == 1
    assert store.insert(PostColumns.of([post(8, 2), post(8, 2)]), now_ms=NOW) == 0
    store.delete([8], now_ms=NOW)
    store.delete([8], now_ms=NOW)
    assert ids(store, [2]) == []
    assert store.sizes().tombstones == 2


def test_a_tombstone_blocks_only_for_the_retention():
    store = PostStore()
    store.delete([7], now_ms=NOW)
    later = NOW + 49 * HOUR
    store.trim(now_ms=later)
    fresh = (7, 2, later - 1, 0, 0, 0, 0, 0, 0)
    assert store.insert(PostColumns.of([fresh]), now_ms=later) == 1


def test_future_and_old_posts_are_refused_the_current_second_is_not():
    old, edge, now, soon, future = (post(n, 2, minutes) for n, minutes in enumerate((2881, 2880, 0, -0.08, -0.1), 1))
    assert ids(store_of(old, edge, now, soon, future), [2]) == [4, 3, 2]


def test_nothing_older_than_the_retention_is_returned_and_memory_stays():
    store = PostStore(capacity=64)
    capacity = []
    for step in range(3 * 48):
        now = NOW + step * HOUR
        rows = [(step * 100 + k, 2 + k % 5, now - k, 0, 0, 0, 0, 0, 0) for k in range(1, 60)]
        store.insert(PostColumns.of(rows), now_ms=now)
        store.trim(now_ms=now)
        capacity.append(store._capacity)
        assert ask(store, [2, 3], now=now).posts.created_ms.min() >= now - 48 * HOUR
    assert capacity[-1] == capacity[len(capacity) // 2]
    assert store.sizes().posts <= 49 * 60


def test_excluded_posts_are_replaced_by_older_ones_under_the_cap():
    store = store_of(*(post(n, 2, 10 - n) for n in range(1, 9)), originals_per_author=3)
    assert ids(store, [2]) == [8, 7, 6]
    assert ids(store, [2], exclude=[8, 6]) == [7, 5, 4]


def test_videos_include_reposts_of_stored_videos_and_no_replies():
    store = store_of(
        post(1, 2, 9, video=1),
        post(2, 3, 8, source=1, source_user=2),
        post(3, 3, 7, parent=1, to=2, root=1, video=1),
        post(4, 2, 6),
        post(5, 4, 5, source=1, source_user=2),
    )
    assert ids(store, [2, 3], videos=True) == [2, 1]


def test_an_unknown_or_empty_following_gives_nothing():
    assert ids(store_of(post(1, 2)), []) == []
    assert ids(store_of(post(1, 2)), [77]) == []
    assert ids(PostStore(), [2]) == []


def test_a_passed_deadline_returns_what_was_found_and_says_so():
    found = ask(store_of(post(1, 2)), [2], deadline=time.monotonic() - 1)
    assert (found.complete, len(found.posts)) == (False, 0)


def test_input_lists_are_cut_to_their_first_entries():
    store = store_of(post(1, 2, 2), post(2, 3, 1), input_list=1)
    assert ids(store, [2, 3]) == [1]
    assert ids(store, [2], exclude=[5, 1]) == [1]


def test_the_answer_carries_what_ancestors_are_made_of():
    found = ask(store_of(*THREAD), [2]).posts
    row = [int(getattr(found, name)[0]) for name in ("in_reply_to_id", "conversation_id", "author_id")]
    assert row == [1000, 1000, 2]


def test_sizes_count_what_is_there_by_kind():
    store = store_of(*THREAD, post(2000, 2, 5, video=1))
    store.delete([1000], now_ms=NOW)
    sizes = store.sizes()
    assert (sizes.posts, sizes.originals, sizes.secondaries, sizes.videos, sizes.tombstones) == (6, 1, 5, 1, 1)


def test_an_answer_says_what_it_was_chosen_from():
    store = store_of(*(post(n, 2, 10 - n) for n in range(1, 9)), originals_per_author=3)
    store.delete([8], now_ms=NOW)
    found = ask(store, [2])
    assert (len(found.posts), found.eligible, found.deleted) == (3, 8, 1)


people = st.integers(1, 6)
rows = st.lists(
    st.tuples(
        people,  # author
        st.sampled_from(["original", "original", "reply", "repost"]),
        st.integers(0, 40),  # which earlier post it answers or repeats
        st.booleans(),  # video
        st.booleans(),  # conversation known
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=rows,
    splits=st.integers(1, 5),
    deleted=st.sets(st.integers(1, 60), max_size=12),
    early=st.sets(st.integers(1, 60), max_size=3),
    following=st.sets(people, max_size=6),
    exclude=st.sets(st.integers(1, 60), max_size=10),
    wanted=st.integers(1, 20),
    videos=st.booleans(),
    caps=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(2, 8)),
    drift=st.integers(0, 3),
    aged=st.integers(0, 60),
)
@pytest.mark.parametrize("path", ["authors", "log"])
def test_equals_brute_force(path, rows, splits, deleted, early, following, exclude, wanted, videos, caps, drift, aged):
    limits = with_limits(
        originals_per_author=caps[0],
        replies_per_author=caps[1],
        videos_per_author=caps[2],
        scan_per_author=caps[3],
        chunk=7,
    )
    made = _world(rows)
    if drift:  # parents may come after their children
        made = [made[(i * (drift + 1)) % len(made)] if len(made) % (drift + 1) else r for i, r in enumerate(made)]
    store, model = PostStore(limits, capacity=2), BruteForce(limits)
    for post_id in early:
        store.delete([post_id], now_ms=NOW)
        model.delete(post_id, NOW)
    size = -(-len(made) // splits) or 1
    for start in range(0, len(made), size):
        store.insert(PostColumns.of(made[start : start + size]), now_ms=NOW)
        model.insert(made[start : start + size], NOW)
    for post_id in deleted:
        store.delete([post_id], now_ms=NOW)
        model.delete(post_id, NOW)
    now = NOW + limits.retention_ms - aged * 1000  # the oldest posts have just expired
    store.trim(now_ms=now)
    # The log path stops at K in order of arrival; with everything asked for, both are exact.
    wanted = 1_000 if drift else wanted
    expected = model.lookup(VIEWER, following, exclude, wanted, videos, now)
    found = _forced(store, path, following, exclude, wanted, videos, now)
    assert found == expected


def _world(rows):
    """Rows with times in order; replies and reposts refer to earlier posts or to missing ones."""
    made = []
    for n, (author, kind, target, video, rooted) in enumerate(rows, 1):
        of = made[target % len(made)] if made and target < 35 else None
        created = NOW - (61 - n) * 1000
        if kind == "reply":
            parent, to = (of[0], of[1]) if of else (999, 2)
            root = (of[7] or of[0]) if of and rooted else 0
            made.append((n, author, created, parent, to, 0, 0, root, int(video)))
        elif kind == "repost":
            source, user = (of[0], of[1]) if of else (998, VIEWER)
            made.append((n, author, created, 0, 0, source, user, 0, 0))
        else:
            made.append((n, author, created, 0, 0, 0, 0, n, int(video)))
    return made


def _forced(store, path, following, exclude, wanted, videos, now):
    """Ask by the named access path, whichever the store would have chosen."""
    from feed.thunder.post_store import _Lookup

    request = Request(
        VIEWER, np.array(sorted(following), np.int64), np.array(sorted(exclude), np.int64), wanted, videos
    )
    lookup = _Lookup(store, request, now)
    if path == "log":
        lookup._by_author = lookup._backward
    else:
        lookup._backward = lookup._by_author
    return lookup.run().posts.post_id.tolist()
