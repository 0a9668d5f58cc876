"""Where reading stands: kept by timeline, for oneself, and with it which notifications are read."""

import pytest

from posts import services
from posts.models import Notification
from tests.api.test_wire import token
from tests.factories import PostFactory, UserFactory

pytestmark = pytest.mark.django_db

MARKERS = "/api/v1/markers"


@pytest.fixture
def orla():
    return UserFactory()


@pytest.fixture
def api(orla):
    return token(orla)


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_a_marker_is_set_moved_and_read(api, kind):
    def body(home: int) -> dict:
        return {"home": {"last_read_id": str(home)}} if kind == "json" else {"home[last_read_id]": str(home)}

    made = api.post(MARKERS, body(5), format=kind).json()
    assert made == {"home": {"last_read_id": "5", "version": 1, "updated_at": made["home"]["updated_at"]}}
    moved = api.post(MARKERS, body(9), format=kind).json()
    assert (moved["home"]["last_read_id"], moved["home"]["version"]) == ("9", 2)
    assert api.get(f"{MARKERS}?timeline[]=home&timeline[]=notifications").json() == moved
    assert api.get(MARKERS).json() == {}
    assert token(UserFactory()).get(f"{MARKERS}?timeline[]=home").json() == {}


def test_notifications_up_to_the_marker_are_read(api, orla):
    post = PostFactory(author=orla)
    for _ in range(3):
        services.favorite(user=UserFactory(), post=post)
    _, second, third = Notification.objects.order_by("pk")
    api.post(MARKERS, {"notifications": {"last_read_id": str(second.pk)}}, format="json")
    assert api.get("/api/v1/notifications/unread_count").json() == {"count": 1}
    assert list(Notification.objects.filter(read_at=None)) == [third]


@pytest.mark.parametrize(
    "body",
    [{"home": {}}, {"home": {"last_read_id": "x"}}, {"home": {"last_read_id": str(2**70)}}, {"home": 4}],
    ids=str,
)
def test_what_is_no_place_is_refused(api, body):
    assert api.post(MARKERS, body, format="json").status_code == 422
    assert api.get(f"{MARKERS}?timeline[]=home").json() == {}


def test_an_unknown_timeline_is_refused(api):
    assert api.get(f"{MARKERS}?timeline[]=elsewhere").status_code == 422
