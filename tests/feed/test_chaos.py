"""A page comes whatever breaks: every kind of component, in every way it can break."""

from dataclasses import replace

import pytest

from feed import chaos, services
from feed.candidate_pipeline import Background, Budgets, Threads
from feed.home_mixer import clients
from feed.types import FeedRequest
from tests.factories import PostFactory
from tests.feed.home_mixer.test_threads import closing

HANG_S = 0.5


@pytest.fixture
def runtime():
    """Real threads, and budgets short enough for a hang to be over soon."""
    budgets = Budgets(request_ms=5_000, stage_ms=dict.fromkeys(clients.budgets().stage_ms, 300))
    return clients.Clients(Threads(16, around=closing), Background(2, around=closing), budgets)


def of_each_kind(faults):
    """For every stage and way of breaking one component, and not always the first. `feed_chaos` takes them all."""
    alike = {}
    for fault in faults:
        alike.setdefault((fault.stage, fault.mode), []).append(fault)
    return [same[number % len(same)] for number, same in enumerate(alike.values())]


@pytest.mark.django_db(transaction=True)
def test_no_page_fails_whichever_component_breaks(runtime, viewer, friend, models):
    written = {PostFactory(author=friend).pk for _ in range(4)}
    chosen = of_each_kind(chaos.faults(runtime))
    assert {fault.mode for fault in chosen} == {chaos.RAISE, chaos.HANG, chaos.WRONG, chaos.NAN}
    for fault in chosen:
        pipeline = chaos.broken(fault, runtime, hang_s=HANG_S)
        page, _ = services.load_for_you(viewer, request=FeedRequest(is_preview=True), pipeline=pipeline)
        shown = {item.post_id for item in page.items if item.kind == "post"}
        assert shown <= written
        assert shown, fault
    runtime.background.drain()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("component", ["AuthorSocialgraphFilter", "VFFilter", "ScoredPostsSource"])
def test_when_no_post_may_be_shown_the_page_is_following(runtime, viewer, friend, models, component):
    post = PostFactory(author=friend)
    PostFactory(author=viewer)
    fault = next(each for each in chaos.faults(runtime) if each.component == component)
    pipeline = chaos.broken(fault, runtime)
    request = FeedRequest(is_preview=True)
    page, _ = services.load_for_you(viewer, request=request, pipeline=pipeline)
    assert [item.post_id for item in page.items if item.kind == "post"] == [post.pk]
    assert "posts" in page.degraded
    of_topic, _ = services.load_for_you(viewer, request=replace(request, topic_ids=(1,)), pipeline=pipeline)
    assert not [item for item in of_topic.items if item.kind == "post"]
