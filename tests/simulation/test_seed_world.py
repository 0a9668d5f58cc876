"""Loading: constraints hold, counters are exact, logins work, the truth stays outside."""

import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Q

from accounts.models import CreatorSubscription, Follow, FollowRequest, User
from ads.models import Campaign
from feed.simulation import oracle
from feed.simulation.bulk import copy_rows, snowflakes
from feed.simulation.load import screen, unscreened
from feed.simulation.topics import all_topics
from moderation.models import PostAnnotation, PostLabel
from posts.models import Engagement, Impression, Media, Notification, Post, PostCounts, PostEmbedding, Tag
from posts.types import EngagementKind
from tests.simulation.conftest import NOW
from xsocial.kernel import ids

pytestmark = pytest.mark.django_db
SMALL = ("--users", "60", "--posts", "400", "--days", "5", "--seed", "3", "--now", NOW.isoformat(), "--unscreened")


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, media_root: Path):  # type: ignore[no-untyped-def]
    """The small world in the database, for the tests of this module."""
    from django.db import transaction
    from django.test import override_settings

    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media_root, DATA_DIR=media_root):
        atomic = transaction.atomic()
        atomic.__enter__()
        out = StringIO()
        call_command("seed_world", *SMALL, "--json", stdout=out)
        yield out.getvalue()
        connection.set_rollback(True)
        atomic.__exit__(None, None, None)


def test_counters_equal_the_rows(seeded: str) -> None:
    wrong = PostCounts.objects.annotate(
        liked=Count("post__engagements", filter=Q(post__engagements__kind=EngagementKind.FAVORITE)),
        answered=Count("post__replies", distinct=True),
    ).filter(~Q(liked=F("favorites")) & Q(replies=0) | ~Q(answered=F("replies")))
    assert not wrong.exists()
    assert PostCounts.objects.count() == Post.objects.count()
    for user in User.objects.order_by("id")[:20]:
        assert user.followers_count == Follow.objects.filter(followee=user).count()
        assert user.following_count == Follow.objects.filter(follower=user).count()
        assert user.posts_count == Post.objects.filter(author=user).count()


def test_views_and_reposts_are_exact(seeded: str) -> None:
    for counts in PostCounts.objects.order_by("-views")[:10]:
        assert counts.views == Impression.objects.filter(post_id=counts.post_id).count()
        assert counts.reposts == Post.objects.filter(repost_of=counts.post_id).count()
        assert counts.quotes == Post.objects.filter(quote_of=counts.post_id).count()


def test_age_is_read_from_the_id(seeded: str) -> None:
    for post in Post.objects.order_by("-id")[:50]:
        assert ids.datetime_of(post.pk) == post.created_at
        assert post.created_at <= NOW


def test_demo_people_can_sign_in_and_have_news(seeded: str) -> None:
    demo = User.objects.filter(is_demo=True)
    assert sorted(demo.values_list("username", flat=True)) == ["bramble", "orla", "tidepool"]
    assert all(user.check_password(settings.DEMO_PASSWORD) and user.is_active for user in demo)
    assert Notification.objects.filter(recipient__in=demo).exists()


def test_files_of_pictures_exist(seeded: str, media_root: Path) -> None:
    shown = Media.objects.select_related("post")[:40]
    assert shown
    for media in shown:
        assert (media_root / media.file.name).stat().st_size > 0
        assert media.alt_text
        assert media.width
        assert media.height
        assert media.blurhash
        assert media.post is not None
        assert media.post.has_media
        assert (media.duration_ms is None) == (media.post.video_duration_ms is None)


def test_propensities_and_pages_are_stored(seeded: str) -> None:
    assert not Impression.objects.filter(Q(propensity=None) | Q(propensity__lte=0) | Q(propensity__gt=1)).exists()
    assert not Impression.objects.filter(request_id=None).exists()
    assert not Engagement.objects.filter(kind=EngagementKind.DWELL, seconds=None).exists()


def test_tags_and_campaigns_are_there(seeded: str) -> None:
    assert Tag.objects.exists()
    assert Campaign.objects.count() == 12


def test_a_second_world_is_refused_unless_asked_to_leave_it(seeded: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("seed_world", *SMALL)
    assert refused.value.returncode == 2
    before = Post.objects.count()
    call_command("seed_world", *SMALL, "--if-empty")
    assert Post.objects.count() == before


def test_what_was_embedded_but_not_judged_is_screened_once(seeded: str) -> None:
    newest = list(unscreened().order_by("-id")[:3])
    vectors = np.zeros((len(newest), 384), dtype=np.float32)
    PostEmbedding.objects.bulk_create(
        PostEmbedding(post=post, model="minilm_v1", vector=vector) for post, vector in zip(newest, vectors, strict=True)
    )
    before, told = unscreened().count(), []
    assert screen(limit=3, progress=told.append) == sum(told) == 3
    assert PostAnnotation.objects.filter(post__in=newest).count() == 3
    assert PostLabel.objects.filter(post__in=newest).exists()
    assert unscreened().count() == before - 3


def test_closed_accounts_and_posts_are_there(seeded: str) -> None:
    assert FollowRequest.objects.exists()
    assert not FollowRequest.objects.exclude(target__is_locked=True).exists()
    assert set(CreatorSubscription.objects.values_list("author__offers_subscriptions", flat=True)) == {True}
    assert Post.objects.filter(subscribers_only=True, author__offers_subscriptions=True).exists()


def test_indexes_and_foreign_keys_are_back(seeded: str) -> None:
    """What was taken off for loading stands as the migrations made it."""
    with connection.cursor() as cursor:
        found = {
            table: connection.introspection.get_constraints(cursor, table)
            for table in ("posts_post", "posts_engagement")
        }
    names = {name for constraints in found.values() for name in constraints}
    assert {"posts_post_words", "posts_post_author_recent", "posts_engagement_toggle_unique"} <= names
    keys = [kept["foreign_key"] for kept in found["posts_engagement"].values() if kept["foreign_key"]]
    assert sorted(keys) == [("accounts_user", "id"), ("posts_post", "id")]


def test_truth_is_a_file_about_known_impressions(seeded: str) -> None:
    truth = oracle.read_truth()
    assert truth.probabilities.shape == (len(truth.impression_ids), len(truth.head_names))
    known = Impression.objects.filter(pk__in=truth.impression_ids[:200].tolist()).count()
    assert known == min(200, len(truth.impression_ids))


@pytest.mark.parametrize("arguments", [("--users", "5"), ("--posts", "1"), ("--pause", "0"), ("--now", "yesterday")])
def test_bad_sizes_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=arguments[0]):
        call_command("seed_world", *arguments)


def test_only_evaluation_and_seeding_know_the_oracle() -> None:
    """Serving and training must never see the truth."""
    allowed = re.compile(r"simulation/|commands/seed_world|evaluat")
    pattern = re.compile(r"feed\.simulation\.oracle|feed\.simulation import .*\boracle\b")
    root = Path(settings.BASE_DIR)
    users = [
        path.relative_to(root).as_posix()
        for app in ("accounts", "posts", "feed", "ranking", "moderation", "ads", "xsocial")
        for path in (root / app).rglob("*.py")
        if pattern.search(path.read_text())
    ]
    assert [name for name in users if not allowed.search(name)] == []


def test_no_column_holds_the_truth() -> None:
    hidden = {"quality", "controversy", "insult", "oracle", "eta", "true_probability", "hot_subtopic", "taste"}
    for model in apps.get_models():
        assert hidden.isdisjoint(field.name for field in model._meta.get_fields()), model


def test_snowflakes_are_distinct_and_in_time_order() -> None:
    moments = np.array([1_790_000_000_005, 1_790_000_000_000, 1_790_000_000_000], dtype=np.int64)
    found = snowflakes(moments)
    assert len(set(found.tolist())) == 3
    np.testing.assert_array_equal(ids.timestamp_ms(found), moments)


def test_copy_escapes_what_would_break_a_row() -> None:
    copy_rows(Tag, 2, name=["tab\there", "back\\slash\nline"])
    assert set(Tag.objects.values_list("name", flat=True)) >= {"tab\there", "back\\slash\nline"}


def test_topic_words_have_no_empty_entries() -> None:
    assert all(word for topic in all_topics() for sub in topic.subtopics for word in sub.nouns)
