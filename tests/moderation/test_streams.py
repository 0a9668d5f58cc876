"""Streams: what they inject, whose turn it is, how fast each may go."""

import random

import pytest

from moderation.grox.generators import Generator, PriorityGenerator
from moderation.grox.payload import ALL, INJECTED, Eligibility, Stream
from moderation.models import PostAnnotation

PUBLISHED = {
    "post_stream": "spam_comment reply_ranking",
    "post_min_traction_for_grox": "banger_initial_screen",
    "post_min_traction_for_grox_ptos": "safety_ptos",
    "post_min_traction_for_grox_multi_modal": "post_embedding_with_summary_for_reply",
    "embedding_request_with_summary": "post_embedding_with_summary",
    "embedding_request_with_summary_recovery": "post_embedding_with_summary",
    "embedding_request_with_summary_for_reply_recovery": "post_embedding_with_summary_for_reply",
    "post_embedding_v5": "mm_emb_v5",
    "post_embedding_v5_for_reply": "mm_emb_v5_for_reply",
    "post_safety": "post_safety",
    "safety_ptos_recovery": "safety_ptos",
    "safety_ptos_deluxe": "safety_ptos",
    "reply_ranking_recovery": "reply_ranking",
    "post_stream_recovery": "banger_initial_screen",
    "post_stream_test": "banger_initial_screen",
    "post_stream_delayed": "",
}
OURS = {"realtime", "edited", "recovery", "media_read"}


@pytest.mark.parametrize(("name", "names"), PUBLISHED.items())
def test_the_published_streams_inject_the_published_sets(name, names):
    assert INJECTED[Stream(name)] == {Eligibility(each) for each in names.split()}


def test_our_own_streams_inject_every_plan_that_a_new_post_may_need():
    assert {stream for stream in Stream if stream not in PUBLISHED} == OURS
    assert all(INJECTED[Stream(name)] == ALL for name in OURS)
    assert len(Eligibility) == 10


def test_every_streams_name_can_be_stored():
    assert max(map(len, Stream)) <= PostAnnotation._meta.get_field("stream").max_length


def full(stream, weight, **options):
    made = Generator(stream, weight, **options)
    made.waiting.extend(range(10_000))
    return made


def test_turns_follow_the_weights():
    turns = PriorityGenerator([full(Stream.REALTIME, 3), full(Stream.TEST, 1)], random.Random(5))
    drawn = [turns.take(1)[0].stream for _ in range(4_000)]
    assert drawn.count(Stream.REALTIME) / 4_000 == pytest.approx(0.75, abs=0.03)


def test_an_empty_stream_does_not_block_the_others():
    turns = PriorityGenerator([Generator(Stream.REALTIME, 1_000), full(Stream.TEST, 1)])
    assert turns.take(5) == (turns.generators[Stream.TEST], [0, 1, 2, 3, 4])
    assert PriorityGenerator([Generator(Stream.TEST)]).take(5) is None


def test_a_rate_holds_over_each_second_and_others_go_on_meanwhile():
    now = [0.0]
    slow = full(Stream.POST_SAFETY, 1_000, max_qps=3, now=lambda: now[0])
    turns = PriorityGenerator([slow, full(Stream.REALTIME, 1)])
    taken = [turns.take(2) for _ in range(6)]
    assert sum(len(ids) for generator, ids in taken if generator is slow) == 3
    assert slow.take(1) == []
    now[0] = 1.0
    assert len(slow.take(10)) == 3


def test_what_could_not_be_handed_on_comes_first_again():
    made = full(Stream.TEST, 1)
    made.give_back(made.take(3))
    assert made.take(4) == [0, 1, 2, 3]


@pytest.mark.parametrize("weight", [0, -1, 1.5])
def test_weights_are_positive_whole_numbers(weight):
    with pytest.raises(ValueError, match="weight"):
        Generator(Stream.TEST, weight)


def test_there_must_be_a_stream_and_unknown_ones_are_errors():
    with pytest.raises(ValueError, match="at least one"):
        PriorityGenerator([])
    with pytest.raises(KeyError):
        PriorityGenerator([Generator(Stream.TEST)]).put(Stream.REALTIME, 1)
