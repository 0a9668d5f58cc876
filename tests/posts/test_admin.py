"""The admin of people and posts: every page opens, lists cost the same whatever their length."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services as accounts
from posts import services
from posts.models import Ballot, EmbeddingVersion, Post
from posts.types import EngagementKind, PollDraft, SeenPost
from tests.factories import MediaFactory, PostFactory, StarterPackFactory, TopicFactory, UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db

MODELS = [model for label in ("accounts", "posts") for model in apps.get_app_config(label).get_models()]
# Ballots are secret, from operators too.
OURS = [model for model in MODELS if not model._meta.auto_created and model is not Ballot]


def populate() -> None:
    ann, bob = UserFactory(), UserFactory(offers_subscriptions=True)
    topic = TopicFactory(parent=TopicFactory())
    pack = StarterPackFactory()
    post = PostFactory(author=ann, text=f"#tag{ann.pk} @{bob.username}", media=[MediaFactory(owner=ann)])
    accounts.follow(follower=ann, followee=bob)
    accounts.follow(follower=bob, followee=UserFactory(is_locked=True))
    close = accounts.create_list(owner=ann, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[bob.pk])
    accounts.block(blocker=ann, blocked=UserFactory())
    accounts.mute(muter=ann, muted=bob)
    accounts.subscribe(subscriber=ann, author=bob)
    accounts.add_muted_keyword(user=ann, phrase="rain")
    accounts.follow_topic(user=ann, topic=topic)
    accounts.follow_starter_pack(user=ann, pack=pack)
    accounts.set_preferences(user=ann, hides_videos=True)
    services.bookmark(user=bob, post=post)
    services.pin(user=ann, post=post)
    services.mark_read(user=ann, last_read={"home": post.pk})
    services.record_engagement(user=bob, post_id=post.pk, kind=EngagementKind.CLICK)
    services.record_impressions(user=bob, impressions=[SeenPost(post.pk)])
    services.edit_post(editor=ann, post=post, text=f"#tag{ann.pk} @{bob.username}!")
    services.create_post(author=bob, text="Once", idempotency_key="k")
    services.create_post(author=bob, text="Tea?", poll=PollDraft(("yes", "no"), 600))
    services.schedule_post(author=bob, text="Later", at=clock.now() + timedelta(hours=1))
    post.topic_links.create(topic=topic)
    post.embeddings.create(model="test", vector=[0.0] * 384)
    post.media.get().fingerprints.create(at_ms=post.pk % 1_000_000, bits="01" * 128)
    EmbeddingVersion.objects.create(name=f"v{post.pk}")


@pytest.fixture
def staff_client(client, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    client.force_login(
        UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def count_queries(client, model) -> int:
    """Queries of the list page of a model."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address(model, "changelist"))
    assert answer.status_code == 200, model
    return len(captured)


def address(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_lists_cost_the_same_whatever_their_length(staff_client):
    populate()
    for model in OURS:  # the first time warms caches
        count_queries(staff_client, model)
    before = {model: count_queries(staff_client, model) for model in OURS}
    populate()
    populate()
    assert {model: n for model in OURS if (n := count_queries(staff_client, model)) > before[model]} == {}


def test_every_form_opens_and_every_list_can_be_searched(staff_client):
    populate()
    for model in OURS:
        row = model._default_manager.order_by("pk").last()
        assert staff_client.get(address(model, "change", row.pk)).status_code == 200, model
        assert admin.site._registry[model].search_fields
        assert staff_client.get(address(model, "changelist"), {"q": "12"}).status_code == 200, model


def test_nobody_writes_in_the_name_of_others_or_deletes_with_eyes_alone(client, settings):
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    post, staff = PostFactory(text="mine"), UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_post", "change_post"]))
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    client.post(address(Post, "change", post.pk), {"text": "yours", "sensitive": "on"})
    client.post(address(Post, "changelist"), {"action": "delete_as_staff", "_selected_action": [post.pk]})
    post.refresh_from_db()
    assert (post.text, post.is_deleted) == ("mine", False)


def test_deleting_as_staff_goes_through_the_service(staff_client):
    post = PostFactory()
    staff_client.post(
        reverse("admin:posts_post_changelist"), {"action": "delete_as_staff", "_selected_action": [post.pk]}
    )
    assert Post.objects.get(pk=post.pk).is_deleted
    post.author.refresh_from_db()
    assert post.author.posts_count == 0
