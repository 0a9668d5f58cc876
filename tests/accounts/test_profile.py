"""Profiles: checked words, re-encoded pictures, old files gone."""

import pytest
from PIL import Image

from accounts import selectors, services
from accounts.models import User
from tests.factories import UserFactory, picture
from xsocial.kernel.errors import Invalid

# Old files go when the transaction commits, so these tests must commit.
pytestmark = pytest.mark.django_db(transaction=True)


def test_pictures_are_cut_to_size_and_replaced():
    ann = UserFactory()
    ann = services.update_profile(user=ann, avatar=picture((900, 300)), header=picture((80, 80)))
    with Image.open(ann.avatar.path) as avatar, Image.open(ann.header.path) as header:
        assert (avatar.size, header.size) == ((400, 400), (1500, 500))
    old = ann.avatar.path
    ann = services.update_profile(user=ann, avatar=picture(color="red"))
    assert ann.avatar.path != old
    assert not ann.avatar.storage.exists(old)
    ann = services.update_profile(user=ann, removes_avatar=True)
    assert not ann.avatar
    assert User.objects.get(pk=ann.pk).avatar == ""


def test_words_are_trimmed_and_checked():
    ann = UserFactory()
    services.update_profile(user=ann, display_name="  Ann \x00", bio="Reads.", is_locked=True)
    ann.refresh_from_db()
    assert (ann.display_name, ann.bio, ann.is_locked) == ("Ann", "Reads.", True)
    for changes in ({"website": "javascript:alert(1)"}, {"bio": "x" * 501}, {"is_staff": True}, {"username": "eve"}):
        with pytest.raises(Invalid):
            services.update_profile(user=ann, **changes)
    ann.refresh_from_db()
    assert (ann.bio, ann.is_staff) == ("Reads.", False)


def test_a_bad_picture_changes_nothing():
    ann = UserFactory()
    page = picture()
    page.write(b"<script>")
    page.seek(0)
    with pytest.raises(Invalid):
        services.update_profile(user=ann, display_name="New", avatar=page)
    ann.refresh_from_db()
    assert not ann.avatar
    assert ann.display_name != "New"


def test_whoever_waits_follows_an_account_that_approves_followers_no_more():
    ann, bob = UserFactory(is_locked=True), UserFactory()
    services.follow(follower=bob, followee=ann)
    services.update_profile(user=ann, bio="Still locked")
    assert not selectors.relationship(bob, ann).is_following
    services.update_profile(user=ann, is_locked=False)
    assert selectors.relationship(bob, ann).is_following
    ann.refresh_from_db()
    assert ann.followers_count == 1
