"""Receipts: stored for every page, recomputable, explained in words, private, expiring."""

import json
import time
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import services as accounts
from feed import services, tasks, weights
from feed.home_mixer import served_types
from feed.models import FeatureParameter, Receipt, ReceiptLook, ServedHistory
from feed.receipts import partitions, store, story, words
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


@pytest.fixture
def told(viewer, page):
    """The story of the page's second post as one text, with figures of its receipt (or of the page) replaced."""
    receipt = services.receipt(viewer, page.request_id)
    item = next(item for item in receipt["items"] if item["post_id"] == receipt["ranked"][1])

    def tell(about=None, **changes):
        changed = item | {"receipt": item["receipt"] | (about or {})}
        whole = receipt | changes
        return " ".join(s for part in story.tell(whole, changed, []) for s in part.sentences), explain(
            whole | {"items": [changed if other is item else other for other in whole["items"]]}, int(item["post_id"])
        )

    return receipt, item, tell


def test_what_is_said_of_repeated_authors_follows_from_the_receipt(told):
    _, _, tell = told
    spread = {"diversity": 0.4, "author_position": 2, "author_history": 0.0}
    assert "Two posts of the same author were worth more, so only 40% of its value counts." in tell(spread)[0]
    text, found = tell(spread | {"author_position": 0, "author_history": 1.5})
    assert "You have met this author on the pages before, so only 40% of its value counts." in text
    assert ("Author met on earlier pages", "times 0.4") in [(step.label, step.value) for step in found.path]
    assert (
        "was worth more and you have met this author" in tell(spread | {"author_position": 1, "author_history": 1})[0]
    )


def test_what_is_said_of_the_value_follows_from_the_receipt(told):
    receipt, _, tell = told
    assert "Every sum above zero gets 0.0010 on top." in tell({"combined": 2.0, "weighted_score": 2.001})[0]
    low = words.own_value(receipt, -0.5)
    text = tell({"combined": -0.5, "weighted_score": low, "base_score": low})[0]
    assert f"More speaks against it than for it; of its sum, -0.5000, this is made: {low:.4f}." in text
    assert "time that you would not regret: 0.7000" in tell({"combined": 2.0, "weighted_score": 0.7})[0]
    assert "nothing of its value counts" in tell({"vm_factor": 0.0})[0]
    assert "nothing of its value counts" not in tell()[0]
    assert "here its value counts 1.5 times" in tell({"oon_factor": 1.5})[0]


def test_multipliers_before_the_offset_are_told_in_that_order(told):
    receipt, _, tell = told
    net = {"combined": 2.0, "diversity": 0.5, "author_position": 1, "oon_factor": 1.0}
    base = words.own_value(receipt, 1.0)
    text, found = tell(net | {"weighted_score": words.own_value(receipt, 2.0), "base_score": base}, value_mode="mpn")
    assert [step.label for step in found.path[1:4]] == [
        "Sum of its parts",
        "Other posts of this author first",
        "Expected value",
    ]
    assert found.path[3].value == f"{base:.4f}"
    assert "small author" not in text
    below = words.own_value(receipt, -2.0)
    text, found = tell(net | {"combined": -2.0, "weighted_score": below, "base_score": below}, value_mode="mpn")
    assert "only 50%" not in text
    assert found.path[2].value == f"{below:.4f}"


def test_what_is_said_of_the_place_follows_from_the_receipt(told):
    receipt, item, tell = told
    nth = sum(each["kind"] == "post" for each in receipt["items"][: item["position"] + 1])
    ranked = [i for i in receipt["ranked"] if i != item["post_id"]]
    ranked.insert(nth - 1, item["post_id"])
    text = tell(explored=[], ranked=ranked)[0]
    assert f"number {nth} of the {len(ranked)} best" in text
    assert "moved" not in text
    assert "on purpose" not in text
    text = tell(explored=[nth - 1], ranked=ranked)[0]
    assert "It changed places with its neighbour on purpose" in text
    moved = tell(explored=[], ranked=["0", *ranked])[0]
    assert f"on the page it is number {nth} of them" in moved
    earlier = tell(is_cached=True, at_ms=item["receipt"]["scored_at_ms"] + 42_000)[0]
    assert "judged for an earlier page, 42 seconds before" in earlier


def test_the_summary_names_the_source_it_came_from(viewer, page):
    receipt = services.receipt(viewer, page.request_id)
    item = next(item for item in receipt["items"] if item["kind"] == "post") | {"in_network": False}
    begins = {
        served_types.SIMCLUSTERS: "People with your tastes",
        served_types.PHOENIX: "This resembles",
        served_types.POPULAR: "This is popular",
        "a later one": "This was recommended",
    }
    for source, words_of_it in begins.items():
        assert words.summary(receipt, item | {"source": source}, []).startswith(words_of_it)


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


def test_a_receipt_that_is_still_being_written_is_waited_for(viewer, page, monkeypatch):
    row = Receipt.objects.get()
    waits = []

    def written_meanwhile(seconds):
        waits.append(seconds)
        row.save(force_insert=True)

    row.delete()
    row.pk = page.request_id
    monkeypatch.setattr(store, "time", SimpleNamespace(sleep=written_meanwhile, monotonic=time.monotonic))
    assert services.receipt(viewer, page.request_id)["request_id"] == str(page.request_id)
    assert len(waits) == 1
    Receipt.objects.all().delete()
    with clock.fixed(clock.now() + timedelta(minutes=1)), pytest.raises(NotFound):
        services.receipt(viewer, page.request_id)
    assert len(waits) == 1


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


def test_page_loads_go_with_the_account(viewer, page):
    assert Receipt.objects.filter(viewer=viewer).exists()
    assert ServedHistory.objects.filter(user=viewer).exists()
    assert tasks.forget_erased() == 0
    accounts.delete_account(user=viewer)
    assert tasks.forget_erased() >= 2
    assert not Receipt.objects.exists()
    assert not ServedHistory.objects.exists()


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
    with pytest.raises(NotAllowed):
        services.look(page.request_id, actor=UserFactory(is_staff=True), reason="Curious staff")
    clerk = UserFactory(is_staff=True)
    clerk.groups.add(Group.objects.get(name="Receipt readers"))
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
