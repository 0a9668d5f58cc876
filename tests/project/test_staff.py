"""Staff and the admin: no second factor, no entrance, where the setting asks for one."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import get_user_model
from django.test import Client


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


def test_five_wrong_passwords_lock_name_and_address(client: Client, moderator, settings):
    settings.AXES_ENABLED = True
    form = {"login": "moderator", "password": "wrong"}
    answers = [client.post("/accounts/login/", form).status_code for _ in range(6)]
    assert answers[0] == 200
    assert answers[-1] == 429
    right = client.post("/accounts/login/", {"login": "moderator", "password": "a-long-password"})
    assert right.status_code == 429
