"""Staff and the admin: no second factor, no entrance, where the setting asks for one."""

import fnmatch
from collections import defaultdict

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.selectors.rights import has_right
from feed.receipts import store
from moderation import services as moderation
from moderation.types import Label
from posts import services as posts
from tests.factories import PostFactory, UserFactory
from xsocial.groups import RIGHTS, make_groups
from xsocial.kernel.errors import NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator(db):
    people = get_user_model().objects
    return people.create_superuser(username="moderator", email="moderator@example.org", password="a-long-password")


def test_staff_without_a_second_factor_are_sent_to_set_one_up(client: Client, moderator, settings):
    client.force_login(moderator)
    assert client.get("/admin/").status_code == 200
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/2fa/totp/activate/?next=%2Fadmin%2F"

    TOTP.activate(moderator, "JBSWY3DPEHPK3PXP")
    assert client.get("/admin/").status_code == 200


def test_no_right_counts_without_the_second_factor(client: Client, moderator, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    post = PostFactory()
    client.force_login(moderator)
    assert client.get("/moderation")["Location"].startswith("/accounts/2fa/totp/activate/")
    assert not has_right(moderator, "moderation.moderate")
    assert not store.may_look(moderator)
    with pytest.raises(NotAllowed, match="Only moderators"):
        moderation.apply_label(moderator=moderator, post=post, label=Label.NSFW_HIGH_PRECISION)
    with pytest.raises(NotAllowed, match="Only its author"):
        posts.delete_post(actor=moderator, post=post)

    TOTP.activate(moderator, "JBSWY3DPEHPK3PXP")
    assert client.get("/moderation").status_code == 200
    assert store.may_look(moderator)
    posts.delete_post(actor=moderator, post=post)


def test_a_permission_without_being_staff_gives_no_right():
    helper = UserFactory()
    helper.user_permissions.add(Permission.objects.get(codename="moderate"))
    assert not has_right(helper, "moderation.moderate")


def test_five_wrong_passwords_lock_name_and_address(client: Client, moderator, settings):
    settings.AXES_ENABLED = True
    form = {"login": "moderator", "password": "wrong"}
    answers = [client.post("/accounts/login/", form).status_code for _ in range(6)]
    assert answers[0] == 200
    assert answers[-1] == 429
    right = client.post("/accounts/login/", {"login": "moderator", "password": "a-long-password"})
    assert right.status_code == 429


def test_groups_come_with_the_rights_of_their_work():
    rights = defaultdict(set)
    for group, app, codename in Group.objects.values_list(
        "name", "permissions__content_type__app_label", "permissions__codename"
    ):
        rights[group].add(f"{app}.{codename}")
    assert rights.keys() == RIGHTS.keys()
    for name, wanted in RIGHTS.items():
        assert all(fnmatch.filter(rights[name], each) for each in wanted), name
    assert "moderation.moderate" in rights["Moderators"]
    assert not any(name.startswith(("accounts.", "auth.")) for group in rights.values() for name in group)


def test_migrating_again_leaves_what_an_operator_changed():
    Group.objects.get(name="Moderators").permissions.clear()
    Group.objects.get(name="Advertising").delete()
    about = {"sender": None, "apps": apps, "using": "default"}
    make_groups(**about)
    assert not Group.objects.get(name="Moderators").permissions.exists()
    assert Group.objects.get(name="Advertising").permissions.exists()


@pytest.mark.parametrize(
    ("group", "opens", "refused"),
    [
        ("Moderators", ["moderation/report", "moderation/reviewdecision", "posts/post", "posts/tag"], ["ads/campaign"]),
        ("Advertising", ["ads/campaign", "ads/ledgerentry", "ads/creative"], ["feed/weightset", "posts/post"]),
        ("Feed tuners", ["feed/weightset", "feed/featureparameter", "ranking/modelversion"], ["feed/receipt"]),
        ("Receipt readers", ["feed/receipt", "feed/receiptlook"], ["feed/weightset", "accounts/user"]),
    ],
)
def test_members_find_their_tables_and_no_others(client: Client, group, opens, refused):
    member = UserFactory(is_staff=True)
    member.groups.add(Group.objects.get(name=group))
    client.force_login(member)
    assert ("/moderation" in client.get("/admin/").text) is (group == "Moderators")
    assert {client.get(f"/admin/{page}/").status_code for page in opens} == {200}
    assert {client.get(f"/admin/{page}/").status_code for page in refused} == {403}
    assert client.get("/moderation").status_code == (200 if group == "Moderators" else 404)
