"""Weight sets: immutable, numbered, activated in a log that shows tampering; the admin around them."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from feed import weights
from feed.home_mixer import query_builder
from feed.home_mixer.params import PUBLISHED_WEIGHTS
from feed.models import FeatureParameter, WeightChange, WeightSet
from feed.types import FeedRequest
from tests.factories import UserFactory
from xsocial.kernel.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.django_db


def activated(name, **values):
    chosen = weights.create(name=name, weights=values)
    weights.activate(weight_set=chosen, reason=f"because {name}")
    return chosen


def test_before_any_activation_the_published_set_is_in_force():
    current = weights.in_force()
    assert current.number == 0
    assert current.weights == PUBLISHED_WEIGHTS


def test_the_newest_activation_is_in_force_and_old_sets_can_return():
    first, second = activated("one", report=-100.0), activated("two", report=-50.0)
    assert weights.in_force().weights["report"] == -50.0
    assert weights.in_force().weights["favorite"] == 0.5  # left out: the published value
    weights.activate(weight_set=first, reason="back")
    assert weights.in_force().number == first.number != second.number


def test_sets_and_log_rows_never_change():
    chosen = activated("one")
    change = WeightChange.objects.get()
    for row in (chosen, change):
        with pytest.raises(Conflict):
            row.save()
        with pytest.raises(Conflict):
            row.delete()


@pytest.mark.parametrize("values", [{"report": 1.0}, {"nobody": 1.0}, {"report": float("nan")}])
def test_a_set_out_of_bounds_is_refused(values):
    with pytest.raises(Invalid):
        weights.create(name="bad", weights=values)


def test_an_activation_needs_a_reason():
    with pytest.raises(Invalid):
        weights.activate(weight_set=weights.create(name="x", weights={}), reason=" ")


def test_the_chain_holds_and_tampering_shows():
    for name in ("one", "two", "three"):
        activated(name)
    assert weights.broken_links() == []
    second = WeightChange.objects.order_by("id")[1]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE feed_weightchange SET reason = 'innocent' WHERE id = %s", [second.pk])
    assert weights.broken_links() == [second.pk]


def test_parameters_change_through_the_same_chain():
    chosen = activated("one")
    weights.set_parameter("result_size", 20, reason="shorter pages")
    weights.reset_parameter("result_size", reason="longer again")
    assert [change.what for change in WeightChange.objects.all()] == [
        "result_size reset", "result_size = 20", f"weight set {chosen.number}: one in force",
    ]  # fmt: skip
    assert weights.live().parameters == {}
    assert weights.in_force().number == chosen.number
    assert weights.broken_links() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE feed_weightchange SET value = '30' WHERE value = '20'")
    assert len(weights.broken_links()) == 1


@pytest.mark.parametrize("value", [-0.0, 1, 0.1, 1e-7])
def test_a_number_is_sealed_as_the_database_writes_it(value):
    weights.set_parameter("simclusters_min_score", value, reason="trial")
    assert weights.broken_links() == []


def test_what_cannot_be_set_or_reset_leaves_no_line():
    with pytest.raises(Invalid):
        weights.set_parameter("result_size", 0, reason="none")
    with pytest.raises(Invalid):
        weights.set_parameter("result_size", 20, reason=" ")
    with pytest.raises(NotFound):
        weights.reset_parameter("result_size", reason="twice")
    assert not WeightChange.objects.exists()
    assert not FeatureParameter.objects.exists()


def test_the_chain_outlives_the_accounts_of_those_who_made_it():
    operator = UserFactory()
    weights.set_parameter("result_size", 20, reason="shorter pages", actor=operator)
    operator.delete()
    assert weights.broken_links() == []
    assert WeightChange.objects.select_related("actor").get().actor is None


# --- Admin --------------------------------------------------------------------------------------


@pytest.fixture
def staff(settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_staff_make_and_activate_a_set(staff):
    added = staff.post(
        reverse("admin:feed_weightset_add"),
        {"name": "Kinder", "note": "fewer reported posts", "report": "-500", "favorite": ""},
    )
    assert added.status_code == 302
    chosen = WeightSet.objects.get()
    staff.post(reverse("admin:feed_weightset_changelist"), {"action": "activate", "_selected_action": [chosen.pk]})
    assert weights.in_force().weights["report"] == -500
    assert weights.in_force().weights["favorite"] == PUBLISHED_WEIGHTS["favorite"]
    assert weights.broken_links() == []
    assert b'name="report" value="-500' in staff.get(reverse("admin:feed_weightset_add")).content
    assert b"<td>report</td><td>-500.0</td><td>-234.0</td>" in staff.get(chosen_url(chosen)).content


def chosen_url(chosen):
    return reverse("admin:feed_weightset_change", args=[chosen.pk])


@pytest.mark.parametrize("value", ["1", "-1001", "NaN", "-inf", "much"])
def test_a_weight_out_of_bounds_is_refused_at_its_field(staff, value):
    page = staff.post(reverse("admin:feed_weightset_add"), {"name": "Bad", "report": value})
    assert b"errorlist" in page.content
    assert not WeightSet.objects.exists()


def test_the_admin_refuses_bad_parameters(staff):
    for value in ("0", "NaN", "1e999", "many", "", "null", "[20]", "[" * 9_000):
        staff.post(reverse("admin:feed_featureparameter_add"), {"name": "result_size", "value": value, "note": ""})
    for name, value in (("vqv_weight", "1"), ("ads_blender", "kitchen"), ("ranker_model", "nobody-trained-this")):
        staff.post(reverse("admin:feed_featureparameter_add"), {"name": name, "value": value, "note": ""})
    assert not FeatureParameter.objects.exists()
    staff.post(reverse("admin:feed_featureparameter_add"), {"name": "result_size", "value": "20", "note": ""})
    staff.post(reverse("admin:feed_featureparameter_add"), {"name": "profile", "value": "upstream", "note": ""})
    assert weights.live().parameters == {"result_size": 20, "profile": "upstream"}
    changelist = reverse("admin:feed_featureparameter_changelist")
    staff.post(changelist, {"action": "delete_selected", "_selected_action": ["result_size"], "post": "yes"})
    staff.post(reverse("admin:feed_featureparameter_delete", args=["profile"]), {"post": "yes"})
    assert weights.live().parameters == {}
    assert WeightChange.objects.count() == 4
    assert weights.broken_links() == []
    assert b"profile reset" in staff.get(reverse("admin:feed_weightchange_changelist")).content


@pytest.mark.parametrize(
    "model", ["weightset", "weightchange", "featureparameter", "policyexclusion", "prompt", "receipt", "servedhistory"]
)
def test_every_list_opens(staff, model):
    activated("one")
    assert staff.get(reverse(f"admin:feed_{model}_changelist")).status_code == 200


def test_the_profile_changes_with_one_click(staff, viewer_pages):
    changelist = reverse("admin:feed_featureparameter_changelist")
    page = staff.get(changelist).text
    assert "Use profile upstream" in page
    assert "published August 2026<br>ThunderMaxResults" in page
    assert viewer_pages().thunder_max_results == 400
    answer = staff.post(reverse("admin:feed_featureparameter_profile", args=["upstream"]), follow=True)
    assert b"Profile in force: upstream" in answer.content
    assert viewer_pages().thunder_max_results == 1200
    staff.post(reverse("admin:feed_featureparameter_profile", args=["small_platform"]))
    assert viewer_pages().thunder_max_results == 400


@pytest.fixture
def viewer_pages():
    """Parameters of a page load of somebody else."""
    viewer = UserFactory()
    return lambda: query_builder.build(viewer.pk, FeedRequest()).params


def test_an_unknown_profile_is_refused_and_looking_does_not_switch(staff):
    url = reverse("admin:feed_featureparameter_profile", args=["huge"])
    assert b"must be one of" in staff.post(url, follow=True).content
    assert staff.get(url).status_code == 405
    assert not FeatureParameter.objects.exists()
