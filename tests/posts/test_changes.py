"""Editing and deleting: history kept, traces removed, counters put right."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts import services as accounts
from posts import selectors, services
from posts.models import Engagement, Media, Mention, Notification, Post, PostCounts, PostEdit, PostTag
from posts.services.media import delete_stale_media
from tests.factories import MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Invalid, NotAllowed, NotFound
from xsocial.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def test_an_edit_keeps_the_earlier_wording_and_follows_the_new_one():
    bob = UserFactory(username="bob")
    post = PostFactory(text="Some #tea", spoiler_text="drinks")
    edited = services.edit_post(editor=post.author, post=post, text="Some #coffee for @bob", sensitive=True)
    assert (edited.text, edited.spoiler_text, edited.sensitive) == ("Some #coffee for @bob", "drinks", True)
    [before] = selectors.edit_history(post)
    assert (before.text, before.sensitive, before.written_at) == ("Some #tea", False, post.created_at)
    assert before.replaced_at == edited.edited_at
    assert list(PostTag.objects.values_list("tag__name", flat=True)) == ["coffee"]
    assert Mention.objects.get().user == bob
    assert bob.notifications.get().kind == "mention"
    event = OutboxEvent.objects.get(name="posts.post_edited").payload
    assert event["edited_ms"] == clock.to_ms(edited.edited_at)


def test_an_edit_that_changes_nothing_leaves_no_trace():
    post = PostFactory(text="Same")
    assert services.edit_post(editor=post.author, post=post, text=" Same ").edited_at is None
    assert not PostEdit.objects.exists()


def test_an_edit_can_swap_pictures():
    ann = UserFactory()
    old, new = MediaFactory(owner=ann), MediaFactory(owner=ann)
    post = PostFactory(author=ann, media=[old])
    services.edit_post(editor=ann, post=post, media=[new])
    assert list(post.media.all()) == [new]
    old.refresh_from_db()
    assert old.post is None
    with pytest.raises(Invalid):
        services.edit_post(editor=ann, post=post, media=[MediaFactory()])
    with pytest.raises(Invalid):
        services.edit_post(editor=ann, post=post, text="", media=[])


def test_reposters_hear_of_an_edit():
    post, ann = PostFactory(), UserFactory()
    services.repost(user=ann, post=post)
    services.edit_post(editor=post.author, post=post, text="On second thoughts")
    assert ann.notifications.get().kind == "update"


@pytest.mark.parametrize("change", [{"text": ""}, {"text": "x" * 501}, {"language": "??"}])
def test_bad_edits_are_refused(change):
    post = PostFactory()
    with pytest.raises(Invalid):
        services.edit_post(editor=post.author, post=post, **change)
    assert not PostEdit.objects.exists()


def test_only_the_author_edits_and_only_author_or_permitted_staff_delete():
    post, other, staff = PostFactory(), UserFactory(), UserFactory(is_staff=True)
    hidden = PostFactory(visibility="private")
    with pytest.raises(NotAllowed):
        services.delete_post(actor=staff, post=post)
    permitted = UserFactory(is_staff=True)
    permitted.user_permissions.add(Permission.objects.get(codename="delete_post"))
    for act in (
        lambda target: services.edit_post(editor=other, post=target, text="Mine"),
        lambda target: services.delete_post(actor=other, post=target),
    ):
        with pytest.raises(NotAllowed):
            act(post)
        with pytest.raises(NotFound):
            act(hidden)
    services.delete_post(actor=permitted, post=post)
    with pytest.raises(NotFound):
        services.edit_post(editor=post.author, post=post, text="Too late")


def test_a_deletion_empties_the_row_and_puts_every_counter_right():
    root, quoted = PostFactory(), PostFactory()
    ann, bob = UserFactory(), UserFactory(username="bob")
    post = services.create_post(author=ann, text="#tea @bob", in_reply_to=root, quote_of=quoted)
    row = services.repost(user=bob, post=post)
    services.favorite(user=bob, post=post)
    services.bookmark(user=bob, post=post)
    services.edit_post(editor=ann, post=post, text="#tea @bob!")
    services.delete_post(actor=ann, post=post)

    post.refresh_from_db()
    assert (post.text, post.is_deleted, post.in_reply_to_id) == ("", True, root.pk)
    assert Post.objects.get(pk=row.pk).is_deleted
    for person in (ann, bob):
        person.refresh_from_db()
        assert person.posts_count == 0
    assert PostCounts.objects.get(post=root).replies == 0
    assert PostCounts.objects.get(post=quoted).quotes == 0
    assert not Engagement.objects.filter(user=ann).exists()
    for model in (PostTag, Mention, PostEdit, Notification):
        assert not model.objects.filter(post=post).exists()
    deleted = OutboxEvent.objects.filter(name="posts.post_deleted").values_list("payload__post_id", flat=True)
    assert set(deleted) == {post.pk, row.pk}
    with pytest.raises(NotFound):
        services.delete_post(actor=ann, post=post)


def test_deleting_a_repost_undoes_it():
    post, ann = PostFactory(), UserFactory()
    row = services.repost(user=ann, post=post)
    services.delete_post(actor=ann, post=row)
    assert PostCounts.objects.get(post=post).reposts == 0
    assert not Engagement.objects.exists()
    assert Post.objects.get(pk=post.pk).text == post.text


def test_a_like_can_be_taken_back_after_a_block():
    post, ann = PostFactory(), UserFactory()
    services.favorite(user=ann, post=post)
    accounts.block(blocker=post.author, blocked=ann)
    services.unfavorite(user=ann, post=post)
    assert PostCounts.objects.get(post=post).favorites == 0


def test_the_sweep_deletes_files_that_no_post_shows():
    ann = UserFactory()
    shown, gone, waiting = (MediaFactory(owner=ann) for _ in range(3))
    PostFactory(author=ann, media=[shown])
    post = PostFactory(author=ann, media=[gone])
    services.delete_post(actor=ann, post=post)
    assert delete_stale_media() == 1
    assert not gone.file.storage.exists(gone.file.name)
    assert not gone.preview.storage.exists(gone.preview.name)
    with clock.fixed(clock.now() + timedelta(hours=25)):
        assert delete_stale_media() == 1
        assert delete_stale_media() == 0
    assert list(Media.objects.all()) == [shown]
    assert shown.file.storage.exists(shown.file.name)
    assert not waiting.file.storage.exists(waiting.file.name)
