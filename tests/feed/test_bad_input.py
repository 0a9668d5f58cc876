"""Everything a client may get wrong about a feed: a clear answer by page and API, never an error of ours."""

import pytest

from feed import services
from tests.api.test_wire import token
from tests.factories import PostFactory

HUGE = 2**63
FOR_YOU = "/api/v1/timelines/for_you"


@pytest.fixture
def page(viewer, friend, models):
    PostFactory(author=friend)
    return services.for_you(viewer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/?cursor=nonsense", 422),
        ("/?cursor=%00%ff", 422),
        ("/?cursor=" + "a" * 9_000, 422),
        ("/?post=abc", 422),
        (f"/?post={HUGE - 1}", 200),
        (f"/?post={HUGE}", 422),
        ("/following?max_id=abc", 422),
        ("/following?max_id=" + "9" * 5_000, 422),
        ("/settings/signals?page=" + "9" * 5_000, 404),
        ("/topics/no-such-topic", 404),
        (f"/why/{HUGE}", 404),
        (f"/why/{HUGE}/1", 404),
        ("/why/1", 404),
        ("/why/{page}/1", 404),
        (f"/why/{{page}}/{HUGE}", 404),
        ("/why/{page}/left-out/NoSuchFilter", 404),
        ("/why/{page}/left-out/SelfTweetFilter?page=" + "9" * 5_000, 404),
        ("/settings/signals/block/x/withdraw", 404),
    ],
    ids=lambda value: str(value)[:40],
)
def test_pages(client, viewer, page, address, status):
    client.force_login(viewer)
    assert client.get(address.format(page=page.request_id)).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"cursor": "nonsense"}, 422),
        ({"cursor": "a" * 9_000}, 422),
        ({"topic_ids": [HUGE - 1]}, 200),
        ({"push_to_home_post_id": HUGE - 1}, 200),
        ({"push_to_home_post_id": HUGE}, 422),
        ({"topic_ids": [HUGE]}, 422),
        ({"topic_ids": ["sports"]}, 422),
        ({"topic_ids": list(range(1, 200))}, 422),
        ({"excluded_topic_ids": [HUGE - 1]}, 200),
        ({"seen_ids": [1, HUGE - 1]}, 200),
        ({"seen_ids": [0]}, 422),
        ({"seen_ids": list(range(1, 1_100))}, 422),
        ({"context": "moonwalk"}, 200),
        ({"context": "x" * 50}, 422),
        ({"in_network_only": "perhaps"}, 422),
        ({"overrides": {"result_size": 1}, "served_ids": [1], "request_id": 5}, 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_api(viewer, page, values, status):
    answer = token(viewer).post(FOR_YOU, values, format="json")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["request_id"] != "5"
    else:
        assert answer.json()["error"]


@pytest.mark.django_db
def test_a_receipt_is_found_by_its_viewer_alone(viewer, friend, page, client):
    for request_id, who, status in (
        (page.request_id, viewer, 200),
        (page.request_id, friend, 404),
        (page.request_id + 1, viewer, 404),
        (HUGE, viewer, 404),
    ):
        assert token(who).get(f"/api/v1/receipts/{request_id}").status_code == status
    client.force_login(friend)
    assert client.get(f"/why/{page.request_id}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        f"/posts/{HUGE}/card",
        f"/posts/{HUGE}/delete",
        f"/@somebody/{HUGE}/menu",
        "/posts/" + "9" * 5_000 + "/card",
        "/media/" + "x" * 3_000,
        "/api/v1/statuses/" + "9" * 30,
        "/api/v1/no-such-thing",
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_there_is_not_found(client, viewer, address):
    client.force_login(viewer)
    answer = client.get(address)
    assert answer.status_code == 404
    assert (answer["Content-Type"] == "application/json") is address.startswith("/api/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["/tags/a%00b", "/search?q=%00", "/oauth/authorize?client_id=%00", "/api/v1/timelines/tag/%00"],
)
def test_an_address_with_a_nul_is_refused(client, viewer, address):
    client.force_login(viewer)
    answer = client.get(address)
    assert answer.status_code == 422
    assert (answer["Content-Type"] == "application/json") is address.startswith("/api/")


@pytest.mark.django_db
def test_json_deeper_than_the_stack_is_bad_input(client, viewer):
    deep = "[" * 100_000
    answer = token(viewer).post("/api/v1/statuses", deep, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    client.force_login(viewer)
    assert client.post("/impressions", {"data": deep}).status_code == 422
    assert client.post("/ads/seen", {"tokens": deep}).status_code == 422
