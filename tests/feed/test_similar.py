"""Similar posts: near in content, through the same door as everything else, at a fixed price."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feed.similar import similar_posts
from moderation.models import PostLabel
from moderation.types import Label
from posts.models import PostEmbedding
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import redis

pytestmark = pytest.mark.django_db


def near(cosine, **options):
    """A post whose vector has this cosine with that of the first."""
    post = PostFactory(**{"language": "en", **options})
    vector = np.zeros(384)
    vector[:2] = cosine, (1 - cosine**2) ** 0.5
    PostEmbedding.objects.create(post=post, model="minilm_v1", vector=vector.tolist())
    for label in (Label.PTOS_REVIEWED, Label.GROK_SFA):
        PostLabel.objects.create(post=post, label=label, source="grox")
    return post


@pytest.fixture
def this():
    return near(1.0, text="The post that is looked at")


def shown(viewer, this):
    return [post.pk for post in similar_posts(viewer, this)]


def test_nearest_first_and_nothing_far(this):
    second, first, _far = near(0.7), near(0.9), near(0.2)
    assert shown(None, this) == [first.pk, second.pk]


def test_what_a_viewer_may_not_see_or_be_recommended_is_left_out(this):
    viewer = UserFactory()
    blocker, muted = UserFactory(), UserFactory()
    blocker.block_edges.create(blocked=viewer)
    viewer.mute_edges.create(muted=muted)
    kept = near(0.9)
    near(0.95, author=blocker)
    near(0.94, author=muted)
    near(0.93, visibility="private")
    near(0.92, visibility="unlisted")
    for label in (Label.NSFW_HIGH_RECALL, Label.PDNA):
        PostLabel.objects.create(post=near(0.91), label=label, source="grox")
    PostLabel.objects.filter(post=near(0.9)).delete()  # not screened yet
    assert shown(viewer, this) == [kept.pk]


def test_neither_deleted_posts_nor_other_languages(this):
    near(0.9, language="de")
    deleted = near(0.9)
    deleted.deleted_at = deleted.created_at
    deleted.save()
    assert shown(None, this) == []
    german = near(1.0, language="de")
    near(0.9, language="de")
    assert shown(None, german) == []


def test_the_price_is_fixed_and_neighbours_are_remembered(this):
    viewer = UserFactory()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            found = shown(viewer, this)
        return len(captured), len(found)

    near(0.9)
    queries()  # the viewer's preferences are read once
    redis.client("cache").flushdb()
    assert queries() == (13, 1)
    assert queries() == (8, 1)
    for _ in range(4):
        near(0.8)
    redis.client("cache").flushdb()
    assert queries() == (13, 5)


def test_the_page_shows_them_below_the_conversation_and_alone(client, this):
    other = near(0.9, text="Quite alike")
    address = f"/posts/{this.pk}/similar"
    assert address in client.get(f"/@{this.author.username}/{this.pk}").text
    part = client.get(address, headers={"HX-Request": "true"})
    assert "Quite alike" in part.text
    assert "<html" not in part.text
    assert f"/@{other.author.username}/{other.pk}" in client.get(address).text
    lonely = PostFactory(language="en")
    assert "Nothing alike" in client.get(f"/posts/{lonely.pk}/similar").text
    hidden = PostFactory(visibility="private")
    assert client.get(f"/posts/{hidden.pk}/similar").status_code == 404


def test_the_api_gives_them_too(client, this):
    other = near(0.9)
    assert [row["id"] for row in client.get(f"/api/v1/statuses/{this.pk}/similar").json()] == [str(other.pk)]
    hidden = PostFactory(visibility="private")
    assert client.get(f"/api/v1/statuses/{hidden.pk}/similar").status_code == 404
