"""Models of the test's own; a morning of page loads, as the database would hold it."""

from datetime import timedelta

import numpy as np
import pytest

from accounts.services import follow
from posts import services as posts
from posts.models import Engagement, Impression
from posts.types import EngagementKind as Kind
from ranking.serving import live
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock


@pytest.fixture
def own_models(settings, tmp_path):
    """Models in a folder of the test's own, nothing live before or after."""
    settings.DATA_DIR = tmp_path
    live.reset()
    yield
    live.reset()


@pytest.fixture
def morning(noon):
    """Six hours before noon in which three people see ten posts, some twice, and act on many."""
    rng = np.random.default_rng(5)
    viewers = [UserFactory() for _ in range(3)]
    begin = noon - timedelta(hours=7)
    with clock.fixed(begin - timedelta(hours=20)):
        written = [PostFactory() for _ in range(10)]
        follow(follower=viewers[0], followee=written[0].author)
    with clock.fixed(begin):
        repost = posts.repost(user=UserFactory(), post=written[3])
    rows = []
    for request in range(60):
        viewer = viewers[request % 3]
        at = begin + timedelta(minutes=6 * request)
        for position, place in enumerate(rng.choice(10, size=4, replace=False)):
            shown = repost if place == 3 and request % 2 else written[place]
            common = {"user": viewer, "post": shown, "author_id": shown.author_id, "request_id": request + 1}
            moment = at + timedelta(seconds=int(position))
            rows.append(Impression(**common, position=position, surface=1, created_at=moment))
            kinds = [Kind.CLICK, Kind.DWELL, Kind.REPLY, Kind.NOT_DWELLED]
            for kind in rng.choice(kinds, size=int(rng.integers(0, 3)), replace=False):
                late = moment + timedelta(seconds=int(rng.integers(1, 2000)))
                Engagement.objects.create(**common, kind=int(kind), surface=1, seconds=4.0, created_at=late)
    Impression.objects.bulk_create(rows)
