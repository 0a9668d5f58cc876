"""Receipts: stored for every page, recomputable, explained in words, private, expiring."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import services as accounts
from feed import services, tasks, weights
from feed.home_mixer import served_types
from feed.models import FeatureParameter, Receipt, ReceiptLook
from feed.receipts import partitions, store, story
from feed.receipts.explain import explain
from feed.receipts.recompute import recompute
from feed.types import FeedRequest
from posts import services as posts
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(viewer, friend, models, settings):
    """A page with in-network posts, a repost, a recommendation, a video and an explored order."""
    settings.GROX_HOLD_UNSCREENED = False
    FeatureParameter.objects.create(name="exploration_share", value=0.5)
    chosen = weights.create(name="Mine", weights={"reply": 9.0, "report": -100.0})
    weights.activate(weight_set=chosen, reason="a test")
    for _ in range(5):
        PostFactory(author=friend)
    posts.repost(user=friend, post=PostFactory(author=UserFactory()))
    models.found = [PostFactory(author=UserFactory()).pk]
    accounts.mute(muter=viewer, muted=PostFactory(author=_followed(viewer)).author)
    return services.for_you(viewer)


def _followed(viewer):
    author = UserFactory()
    accounts.follow(follower=viewer, followee=author)
    return author


def test_the_receipt_gives_the_served_scores_and_order(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    again = recompute(receipt)
    served = [item for item in page.items if item.kind == "post"]
    assert again.agrees_with(receipt)
    for item in served:
        assert again.scores[str(item.wrapper_id or item.post_id)] == pytest.approx(item.score, abs=1e-6)
    assert list(again.order) == [str(item.wrapper_id or item.post_id) for item in served]


def test_a_changed_receipt_does_not_agree(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    receipt["items"][0]["receipt"]["predictions"]["favorite"] += 0.01
    assert not recompute(receipt).agrees_with(receipt)


def test_the_receipt_says_what_decided(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    assert receipt["model"] == "test-ranker"
    assert receipt["weights"]["reply"] == 9.0
    assert receipt["weight_set"] == page.weight_set > 0
    first = receipt["items"][0]["receipt"]
    assert first["filters"]["AgeFilter"] == "kept"
    assert first["filters"]["VideoFilter"] == "off"
    assert {row["filter"]: row["count"] for row in receipt["dropped"]} == page.dropped
    assert page.dropped["AuthorSocialgraphFilter"] == 1


def test_explanations_add_up_and_tell_the_way(viewer, page):
    for item in page.items:
        found = services.explain(viewer, page.request_id, item.post_id)
        assert sum(part.added for part in found.table) == pytest.approx(found.receipt["receipt"]["combined"])
        assert [step.label for step in found.path][-2:] == ["Score", "Place"]
        assert found.path[-1].value == str(item.position + 1)
        assert all(part.added > 0 for part in found.added)
    origins = {services.explain(viewer, page.request_id, item.post_id).summary.split(",")[0] for item in page.items}
    assert any(text.startswith("You follow @") for text in origins)
    assert any("reposted this" in text or text.startswith("@") for text in origins)


def test_the_sentence_names_a_likely_action_that_stands_out(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    receipt["weights"] |= {"favorite": 1.0, "repost": 1.0, "share_via_copy_link": 500.0}
    items = [item for item in receipt["items"] if item["kind"] == "post"]
    for item in items:
        item["receipt"]["predictions"] = {"favorite": 0.6, "repost": 0.1, "share_via_copy_link": 0.005}
    first, second = items[:2]
    first["receipt"]["predictions"]["repost"] = 0.4
    second["receipt"]["predictions"] = {"share_via_copy_link": 0.005}
    told = [explain(receipt, int(item["post_id"])).summary for item in items]
    assert "there is a 40% chance that you repost it (" in told[0]
    assert "chance" not in told[1]
    assert told[2].endswith(", and you would probably like it: 60%.")


def test_the_story_says_where_a_post_was_found_and_not_where_else_it_was(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    item = next(item for item in receipt["items"] if item["kind"] == "post" and item["in_network"])
    found = {}
    for source in (served_types.IN_NETWORK, served_types.PHOENIX, served_types.POPULAR, "a later one"):
        found[source] = story.tell(receipt, item | {"source": source}, [])[0].sentences
    assert "newest posts by people you follow" in found[served_types.IN_NETWORK][0]
    assert len(found[served_types.IN_NETWORK]) == 1
    for source in (served_types.PHOENIX, served_types.POPULAR, "a later one"):
        assert "newest posts by people you follow" not in found[source][0]
        assert "by somebody you follow" in found[source][1]


def test_a_name_that_was_missing_is_looked_up(viewer, friend, page):
    receipt = services.receipt(viewer, page.request_id)
    item = next(item for item in receipt["items"] if item["author_id"] == str(friend.pk))
    item["receipt"]["author_name"] = None
    assert f"@{friend.username}" in explain(receipt, int(item["post_id"])).summary


def test_receipts_are_the_viewers_alone(viewer, friend, page):
    with pytest.raises(NotFound):
        services.explain(friend, page.request_id, page.items[0].post_id)
    with pytest.raises(NotFound):
        services.explain(viewer, page.request_id, 12345)
    with pytest.raises(NotFound):
        services.receipt(viewer, 1)


def test_days_of_receipts_are_made_ahead_and_dropped_when_expired(page, viewer):
    connection.check_constraints()  # a table with checks still to be made cannot be dropped
    today = clock.now().date()
    tasks.turn_receipt_days()
    assert {today + timedelta(days=ahead) for ahead in range(partitions.AHEAD + 1)} <= set(partitions.days())
    with clock.fixed(clock.now() + timedelta(days=30)):
        assert today not in partitions.drop_expired()
    with clock.fixed(clock.now() + timedelta(days=32)):
        assert today in partitions.drop_expired()
        with pytest.raises(NotFound, match="expired"):
            services.replay(page.request_id)
    assert not Receipt.objects.exists()


def test_a_request_id_of_the_callers_own_making_keeps_no_record(viewer, friend):
    PostFactory(author=friend)
    page = services.for_you(viewer, request=FeedRequest(request_id=77))
    assert page.items
    assert not Receipt.objects.exists()


def test_candidates_are_served_or_in_the_ledger_and_nothing_remains(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    left_out = [post_id for row in receipt["dropped"] for post_id in row["post_ids"]]
    served = [item["post_id"] for item in receipt["items"] if item["kind"] == "post"]
    assert receipt["num_candidates"] == len(left_out) + len(served) > len(served) > 0


def test_staff_look_with_a_reason_and_the_viewer_sees_it(viewer, friend, page):
    with pytest.raises(NotAllowed):
        services.look(page.request_id, actor=friend, reason="Curious")
    clerk = UserFactory(is_staff=True)
    with pytest.raises(Invalid):
        services.look(page.request_id, actor=clerk, reason=" ")
    assert not ReceiptLook.objects.exists()
    seen = services.look(page.request_id, actor=clerk, reason="A complaint")
    own = services.receipt(viewer, page.request_id)
    assert [item["post_id"] for item in seen["items"]] == [item["post_id"] for item in own["items"]]
    assert "predictions" in own["items"][0]["receipt"]
    assert not any(name in item["receipt"] for item in seen["items"] for name in store.PERSONAL)
    (look,) = store.looks(viewer_id=viewer.pk, request_id=page.request_id)
    assert (look.actor, look.reason) == (clerk, "A complaint")
    with pytest.raises(Conflict):
        look.delete()


def test_a_page_by_time_also_has_a_receipt_that_holds(viewer, friend):
    for _ in range(3):
        PostFactory(author=friend)
    page = services.for_you(viewer)
    receipt = services.receipt(viewer, page.request_id)
    assert receipt["ranked_by"] == "time"
    assert recompute(receipt).agrees_with(receipt)
    assert "order of time" in services.explain(viewer, page.request_id, page.items[0].post_id).summary


# --- The command --------------------------------------------------------------------------------


def run(*args):
    out = StringIO()
    call_command("feed", *args, stdout=out)
    return out.getvalue()


def test_feed_prints_the_receipt_as_json(viewer, friend, models):
    post = PostFactory(author=friend)
    receipt = json.loads(run("--viewer", viewer.username, "--json"))
    assert {"request_id", "model", "weight_set", "build", "items", "dropped"} <= receipt.keys()
    (item,) = receipt["items"]
    assert {"position", "kind", "post_id", "author_id", "in_network", "source", "score", "receipt"} == item.keys()
    assert (item["kind"], item["post_id"]) == ("post", str(post.pk))


def test_feed_prints_a_page_and_a_reason(viewer, friend, models):
    post = PostFactory(author=friend, text="A fine morning")
    assert "You follow" in run("--viewer", viewer.username.upper(), "--explain", str(post.pk))
    FeatureParameter.objects.create(name="served_window_s", value=0)
    assert f"@{friend.username}: 'A fine morning'" in run("--viewer", viewer.username)
    # Served just now and therefore on no new page, it is still explained from its receipt.
    FeatureParameter.objects.all().delete()
    assert "You follow" in run("--viewer", viewer.username, "--explain", str(post.pk))


def test_feed_refuses_unknown_people_and_posts(viewer):
    for args in (
        ["--viewer", "nobody_at_all"],
        ["--viewer", viewer.username, "--explain", "1"],
        ["--replay", "1"],
        ["--viewer", viewer.username, "--weight-set", "0"],
    ):
        with pytest.raises(CommandError) as error:
            run(*args)
        assert error.value.returncode == 2
