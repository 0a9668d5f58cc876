"""Forbidden pictures: known again after editing, withheld before anybody sees them, open to appeal."""

import io

import pytest
from django.core.management import call_command
from PIL import Image, ImageDraw

from moderation import selectors, services
from moderation.models import BlockedPicture, PostLabel, ReviewDecision
from moderation.services.blocklist import RULE
from moderation.types import Label
from posts import services as posts
from posts.models import Media, MediaFingerprint, Notification
from posts.selectors import visible_ids
from tests.factories import MediaFactory, ModeratorFactory, PostFactory, UserFactory, picture
from xsocial.kernel import fingerprints
from xsocial.kernel.errors import Invalid


def scene(seed=1, size=(320, 240)):
    """A picture with enough in it to be recognised; another seed is another picture."""
    image = Image.new("RGB", size, "ivory")
    draw = ImageDraw.Draw(image)
    for step in range(60):
        x, y = (seed * 71 + step * 53) % size[0], (seed * 37 + step * step * 29) % size[1]
        color = ((step * 91 * seed) % 256, (step * 57) % 256, (step * 23 + seed * 40) % 256)
        draw.rectangle([x, y, x + 12 + step % 40, y + 8 + step * 7 % 30], fill=color)
    return image


def file_of(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    file.seek(0)
    return file


EDITS = {
    "poor quality": lambda image: file_of(image, "JPEG", quality=15),
    "smaller": lambda image: file_of(image.resize((150, 110))),
    "larger": lambda image: file_of(image.resize((900, 700)), "JPEG", quality=60),
    "brighter": lambda image: file_of(image.point(lambda value: min(255, int(value * 1.2)))),
    "grey": lambda image: file_of(image.convert("L")),
    "a caption": lambda image: (ImageDraw.Draw(image).text((10, 220), "made by me", fill="black"), file_of(image))[1],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_picture_keeps_its_fingerprint_nearly(edit):
    again = fingerprints.fingerprint(Image.open(edit(scene())))
    assert fingerprints.distance(fingerprints.fingerprint(scene()), again) <= fingerprints.SAME_WITHIN
    assert fingerprints.distance(fingerprints.fingerprint(scene(2)), again) > 2 * fingerprints.SAME_WITHIN


def test_plain_pictures_have_no_fingerprint_and_hex_is_read_back():
    assert fingerprints.fingerprint(Image.new("RGB", (200, 200), "teal")) is None
    assert fingerprints.fingerprint(Image.linear_gradient("L")) is None
    bits = fingerprints.fingerprint(scene())
    assert fingerprints.from_hex(fingerprints.to_hex(bits)) == bits
    with pytest.raises(ValueError, match="64"):
        fingerprints.from_hex("ab")


def block(image, **options):
    return services.block_picture(bits=services.fingerprint_of(file_of(image)), **options)


def post_with(image_file, author=None, **options):
    author = author or UserFactory()
    return PostFactory(author=author, media=[posts.upload_media(owner=author, file=image_file)], **options)


@pytest.mark.django_db
def test_a_post_with_a_blocked_picture_is_never_seen_and_says_why(client):
    friend = UserFactory()
    block(scene(), note="from the tests")
    post = post_with(EDITS["smaller"](scene()), text=f"hello @{friend.username}")
    row = PostLabel.objects.get(post=post)
    assert (row.label, row.rule, row.rule_id) == (Label.PDNA, RULE, 1440)
    assert row.evidence["bits that differ"] <= fingerprints.SAME_WITHIN
    assert not visible_ids(friend, [post.pk])
    assert not visible_ids(None, [post.pk])
    assert visible_ids(post.author, [post.pk])
    assert not Notification.objects.filter(recipient=friend).exists()
    assert Notification.objects.filter(recipient=post.author, kind="moderation_warning").exists()
    client.force_login(post.author)
    assert "Bits that differ" in client.get(f"/posts/{post.pk}/labels").text
    client.force_login(friend)
    assert client.get(f"/@{post.author.username}/{post.pk}").status_code == 404


@pytest.mark.django_db
def test_others_pictures_and_plain_ones_pass():
    block(scene())
    for file in (file_of(scene(2)), picture()):
        post = post_with(file)
        assert not PostLabel.objects.filter(post=post).exists()
        assert visible_ids(None, [post.pk])


@pytest.mark.django_db
def test_posts_from_before_are_found_and_freed_again():
    post, stranger = post_with(file_of(scene())), UserFactory()
    moderator = ModeratorFactory()
    row, num_posts = block(scene(), label=Label.SPAM, moderator=moderator)
    assert num_posts == 1
    assert not visible_ids(stranger, [post.pk])
    assert services.unblock_picture(row, moderator=moderator) == 1
    assert visible_ids(stranger, [post.pk])
    actions = list(ReviewDecision.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["picture_blocked", "picture_unblocked"]


@pytest.mark.django_db
def test_a_granted_appeal_opens_the_post_and_the_same_match_does_not_close_it_again():
    block(scene())
    post, moderator = post_with(file_of(scene())), ModeratorFactory()
    row = PostLabel.objects.get(post=post)
    services.appeal(author=post.author, label=row, statement="It is the cover of my own book.")
    services.decide_appeal(moderator=moderator, appeal=row.appeal, is_upheld=True)
    assert visible_ids(None, [post.pk])
    services.screen_pictures(post.pk)
    assert visible_ids(None, [post.pk])
    assert Label.PDNA not in selectors.labels_for([post.pk])[post.pk]


@pytest.mark.django_db
def test_a_picture_added_by_an_edit_is_matched_and_one_taken_away_frees_the_post():
    block(scene())
    post = PostFactory()
    media = posts.upload_media(owner=post.author, file=file_of(scene()))
    posts.edit_post(editor=post.author, post=post, media=[media])
    assert not visible_ids(None, [post.pk])
    posts.edit_post(editor=post.author, post=post, media=[])
    assert visible_ids(None, [post.pk])


@pytest.mark.django_db
def test_the_command_blocks_by_file_and_by_fingerprint(tmp_path, capsys):
    path = tmp_path / "bad.png"
    path.write_bytes(file_of(scene()).read())
    call_command("grox_block", str(path), "--label", "SPAM")
    row = BlockedPicture.objects.get()
    assert (row.label, row.note) == (Label.SPAM, "bad.png")
    call_command("grox_block", fingerprints.to_hex(row.bits), "--remove")
    assert not BlockedPicture.objects.exists()
    (tmp_path / "plain.png").write_bytes(picture().read())
    for bad in ("plain.png", "missing.png"):
        with pytest.raises(SystemExit) as stopped:
            call_command("grox_block", str(tmp_path / bad))
        assert stopped.value.code == 2
        assert bad in capsys.readouterr().err


@pytest.mark.django_db
def test_staff_block_a_picture_in_the_admin(admin_client):
    post = post_with(file_of(scene()))
    address = "/admin/moderation/blockedpicture/add/"
    assert admin_client.get(address).status_code == 200
    refused = admin_client.post(address, {"file": picture(), "label": "SPAM"})
    assert "too plain" in refused.text
    page = admin_client.post(address, {"file": file_of(scene()), "label": "SPAM", "note": "x"}, follow=True)
    assert fingerprints.to_hex(BlockedPicture.objects.get().bits) in page.text
    assert not visible_ids(None, [post.pk])
    chosen = {"action": "unblock", "_selected_action": [BlockedPicture.objects.get().pk]}
    admin_client.post("/admin/moderation/blockedpicture/", chosen)
    assert visible_ids(None, [post.pk])


@pytest.mark.django_db
def test_only_moderators_block_and_only_with_labels_that_fit():
    bits = services.fingerprint_of(file_of(scene()))
    with pytest.raises(Invalid):
        services.block_picture(bits=bits, label=Label.GROK_SFA)
    media = MediaFactory()
    assert not MediaFingerprint.objects.filter(media=media).exists()
    assert Media.objects.filter(pk=media.pk).exists()
