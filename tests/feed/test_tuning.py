"""A viewer's own tuning: its bounds, what it does to an order, and that receipts and replays follow it."""

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts import services as accounts
from feed import export, services, tasks, tuning, weights
from feed.home_mixer.candidate import NO, YES
from feed.home_mixer.params import HEADS, PUBLISHED_WEIGHTS, WEIGHTS
from feed.home_mixer.query import WeightsInForce
from feed.home_mixer.scorers.ranking_scorer import RankingScorer
from feed.home_mixer.tuning import GROUPS, LAST, NEVER_LESS, STEPS, Tuning, effective, problem
from feed.models import FeatureParameter, FeedTuning, Receipt
from feed.receipts import codec, recompute, store
from tests.factories import FollowFactory, PostFactory, UserFactory
from tests.feed.home_mixer.batches import batch, heads, query, scored
from xsocial.kernel.errors import Invalid, NotAllowed

TUNINGS = st.fixed_dictionaries({}, optional={group.name: st.sampled_from(group.steps) for group in GROUPS}).map(
    Tuning.of
)
WEIGHT_SETS = st.fixed_dictionaries(
    {weight.head: st.floats(0, 1_000).map(lambda value, sign=weight.sign: value * sign) for weight in WEIGHTS}
)


# --- The function -------------------------------------------------------------------------------


def test_every_action_belongs_to_one_group():
    assert sorted(head for group in GROUPS for head in group.heads) == sorted(HEADS)
    negative = {weight.head for weight in WEIGHTS if weight.sign < 0}
    for group in GROUPS:
        assert group.steps == (NEVER_LESS if negative & set(group.heads) else STEPS)


@given(WEIGHT_SETS, TUNINGS)
def test_weights_keep_their_sign_and_their_bounds(site, own):
    found = effective(site, own)
    assert found.keys() == site.keys()
    for weight in WEIGHTS:
        before, after = site[weight.head], found[weight.head]
        assert after * weight.sign >= 0
        assert abs(after) <= 3 * abs(before)
        if weight.sign < 0:
            assert after <= before  # what somebody objects to is never made light of
    assert LAST <= own.strangers <= 3


@given(WEIGHT_SETS, TUNINGS)
def test_a_tuning_comes_back_from_what_is_kept_of_it(site, own):
    assert Tuning.of(own.multipliers) == Tuning.of(own.all) == own == tuning.checked(own.all)
    assert effective(site, Tuning.of(own.all)) == effective(site, own)


@given(WEIGHT_SETS)
def test_no_tuning_changes_nothing(site):
    assert effective(site, Tuning()) is site
    assert not Tuning.of({group.name: 1 for group in GROUPS})


@pytest.mark.parametrize(
    ("name", "value"),
    [("likes", 4), ("likes", -1), ("likes", 0.3), ("likes", True), ("likes", "2"), ("likes", None), ("likes", [1]),
     ("likes", float("nan")), ("objections", 0.5), ("objections", 0), ("everything", 1), ("strangers", 1e9)],
)  # fmt: skip
def test_what_is_no_choice_is_refused_by_name(name, value):
    assert problem(name, value)
    with pytest.raises(Invalid) as refused:
        tuning.checked({name: value, "reading": 2})
    assert list(refused.value.extra) == [name]
    assert not Tuning.of({name: value})


# --- Its effect on scores -----------------------------------------------------------------------


def scores(own, **columns):
    rows = {"author_id": [1, 2], "in_network": [YES, YES], **columns}
    return scored(RankingScorer(), query(weights=WeightsInForce(tuning=own)), batch(**rows))["score"].tolist()


def test_a_group_counts_for_as_much_more_as_was_asked_for():
    said = heads({"reply": 0.02}, {"favorite": 0.3})
    liked_first, answered_first = scores(Tuning(), heads=said), scores(Tuning({"conversations": 2.0}), heads=said)
    assert liked_first == pytest.approx([0.101, 0.151])
    assert answered_first == pytest.approx([0.201, 0.151])


def test_the_boost_of_mutual_follows_is_tuned_with_its_action():
    mutual = {"heads": heads({"reply": 0.02}, {"favorite": 0.3}), "is_mutual_follow_author": [YES, YES]}
    assert scores(Tuning(), **mutual) == pytest.approx([0.401, 0.151])
    assert scores(Tuning({"conversations": 0.0}), **mutual) == pytest.approx([0.001, 0.151])


def test_strangers_count_for_less_and_replies_of_the_followed_do_not():
    columns = {"heads": heads({"favorite": 0.5}, {"favorite": 0.5}), "in_network": [YES, NO], "in_reply_to_id": [9, 0]}
    assert scores(Tuning(), **columns) == pytest.approx([0.251 * 0.75] * 2)
    assert scores(Tuning({"strangers": 0.5}), **columns) == pytest.approx([0.251 * 0.75, 0.251 * 0.375])
    assert scores(Tuning({"strangers": 0.0}), **columns) == pytest.approx([0.251 * 0.75, 0.251 * 0.75 * LAST])


def test_objections_weigh_more():
    said = heads({"favorite": 0.5, "not_interested": 0.003}, {"favorite": 0.2})
    assert np.argsort(scores(Tuning(), heads=said)).tolist() == [1, 0]
    assert np.argsort(scores(Tuning({"objections": 2.0}), heads=said)).tolist() == [0, 1]


# --- Whole pages --------------------------------------------------------------------------------


@pytest.fixture
def world(viewer, friend, models, settings):
    """The same candidates at every load: nothing counts as seen, nothing is explored."""
    settings.GROX_HOLD_UNSCREENED = False
    for name, value in {"exploration_share": 0.0, "served_window_s": 0, "filter_served_always": False,
                        "enable_cached_posts": False}.items():  # fmt: skip
        FeatureParameter.objects.create(name=name, value=value)
    for n in range(4):
        other = UserFactory()
        FollowFactory(follower=viewer, followee=other)
        PostFactory(author=other, text=f"Note {n}")
        models.found.append(PostFactory(author=UserFactory()).pk)
    PostFactory(author=friend)
    return viewer


def order(page):
    return [item.post_id for item in page.items if item.kind == "post"]


@pytest.mark.django_db
def test_it_counts_from_the_next_page_on_and_not_for_others(world):
    other = UserFactory()
    before = services.for_you(world)
    strangers = {item.post_id for item in before.items if item.kind == "post" and not item.in_network}
    tuning.save(world, {"strangers": 0, "likes": 1})
    after = services.for_you(world)
    assert (before.is_tuned, after.is_tuned, services.for_you(other).is_tuned) == (False, True, False)
    assert sorted(order(before)) == sorted(order(after))
    assert len(strangers) == 4
    assert set(order(after)[-4:]) == strangers != set(order(before)[-4:])
    assert FeedTuning.objects.get().multipliers == {"strangers": 0.0}
    tuning.reset(world)
    assert order(services.for_you(world)) == order(before)
    assert not FeedTuning.objects.exists()


@pytest.mark.django_db
def test_everything_at_one_keeps_no_row(viewer):
    tuning.save(viewer, {"likes": 2})
    tuning.save(viewer, {group.name: 1 for group in GROUPS})
    assert not FeedTuning.objects.exists()


@pytest.mark.django_db
def test_operators_can_switch_it_off(world):
    tuning.save(world, {"strangers": 0})
    FeatureParameter.objects.create(name="enable_tuning", value=False)
    page = services.for_you(world)
    assert not page.is_tuned
    assert store.load(viewer_id=world.pk, request_id=page.request_id)["weights"] == PUBLISHED_WEIGHTS
    with pytest.raises(NotAllowed):
        tuning.save(world, {"likes": 2})
    assert tuning.of(world).multipliers == {"strangers": 0.0}  # kept, for when it is switched on again


@pytest.mark.django_db
def test_the_command_takes_the_same_way(world, capsys):
    call_command("feed", viewer=world.username)
    assert "own tuning" not in capsys.readouterr().out
    tuning.save(world, {"strangers": 0})
    call_command("feed", viewer=world.username)
    assert "weights #0 with own tuning" in capsys.readouterr().out


@pytest.mark.django_db
def test_it_costs_a_page_no_question(viewer, django_assert_num_queries):
    for multipliers in ({}, {"likes": 2}):
        tuning.save(viewer, multipliers)
        with django_assert_num_queries(1):
            assert weights.live(viewer.pk).weights.tuning.multipliers == multipliers


@pytest.mark.django_db
def test_candidates_kept_under_another_tuning_are_not_served(world):
    for name, value in {"enable_cached_posts": True, "cached_posts_threshold": 1}.items():
        FeatureParameter.objects.update_or_create(name=name, defaults={"value": value})
    services.for_you(world)
    assert services.for_you(world).is_cached
    tuning.save(world, {"likes": 2})
    assert not services.for_you(world).is_cached
    assert services.for_you(world).is_cached
    tuning.save(world, {"likes": 3})
    assert not services.for_you(world).is_cached


# --- Receipts -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_receipt_says_so_and_adds_up_and_its_replay_is_identical(world):
    tuning.save(world, {"likes": 0.25, "strangers": 1.5})
    page = services.for_you(world)
    receipt = store.load(viewer_id=world.pk, request_id=page.request_id)
    assert receipt["tuning"] == {"likes": 0.25, "strangers": 1.5}
    assert receipt["weights"] == {**PUBLISHED_WEIGHTS, "favorite": 0.125}
    assert recompute.recompute(receipt).agrees_with(receipt)
    tuning.save(world, {"likes": 3})
    found = services.replay(page.request_id)
    assert found.is_identical
    assert found.largest_score_difference == 0.0


@pytest.mark.django_db
def test_what_people_tune_is_not_in_the_settings_that_loads_share(world):
    first = store.any_row(services.for_you(world).request_id).settings
    tuning.save(world, {"likes": 3})
    assert store.any_row(services.for_you(world).request_id).settings == first


@pytest.mark.django_db
def test_another_weight_set_is_tried_under_the_viewers_own_tuning(world):
    tuning.save(world, {"likes": 0})
    page = services.for_you(world)
    louder = weights.create(name="Louder", weights={"favorite": 100.0})
    assert services.replay(page.request_id, weight_set=louder.pk).is_identical


@pytest.mark.django_db
def test_why_this_post_says_that_own_tuning_counted(world):
    page = services.for_you(world)
    assert "tuning" not in str(services.explain(world, page.request_id, order(page)[0]))
    tuning.save(world, {"likes": 2, "objections": 3})
    page = services.for_you(world)
    why = services.explain(world, page.request_id, order(page)[0])
    words = "Likes times 2, What I would object to times 3"
    assert ("Your own tuning", words) in [(step.label, step.value) for step in why.path]
    assert f"Your own tuning counted: {words}." in [line for chapter in why.story for line in chapter.sentences]
    (liked,) = [part for part in why.table if part.head == "favorite"]
    assert (liked.weight, liked.added) == (1.0, pytest.approx(liked.prediction))


@pytest.mark.django_db
def test_a_receipt_from_before_tunings_opens(world):
    row = store.any_row(services.for_you(world).request_id)
    body = codec.unpack(bytes(row.body))
    del body["receipt"]["tuning"]
    Receipt.objects.update(body=codec.pack(body))
    assert store.load(viewer_id=world.pk, request_id=row.request_id)["tuning"] == {}
    assert services.replay(row.request_id).is_identical


# --- Files --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_tuning_goes_with_its_account_and_is_in_the_export(viewer):
    tuning.save(viewer, {"likes": 2})
    assert export.of(viewer)["wishes"]["tuning"]["likes"] == 2.0
    accounts.delete_account(user=viewer)  # the emptied row of the account stays
    tasks.forget_erased()
    assert not FeedTuning.objects.exists()
