"""What foreign clients trip over: slashes, encodings, headers, error bodies, ids."""

from datetime import timedelta
from secrets import token_hex

import pytest
from oauth2_provider.models import AccessToken, get_application_model
from rest_framework.test import APIClient

from accounts import services as accounts
from feed.streaming.streams import NAMES
from moderation.models import Report
from posts import services
from tests.factories import UserFactory
from xsocial.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def orla():
    return UserFactory(username="orla")


def token(user, scope="read write follow") -> APIClient:
    """A client that sends a bearer token with these scopes."""
    row = AccessToken.objects.create(
        user=user, token=token_hex(), scope=scope, expires=clock.now() + timedelta(hours=1)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {row.token}")
    return client


@pytest.fixture
def api(orla):
    return token(orla)


@pytest.mark.parametrize("slash", ["", "/"])
def test_posting_works_with_and_without_final_slash(api, slash):
    answer = api.post(f"/api/v1/statuses{slash}", {"status": "hello"}, format="json")

    assert answer.status_code == 200
    assert isinstance(answer.json()["id"], str)


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_lists_and_booleans_in_every_encoding(api, kind, orla):
    body = {"status": "careful", "sensitive": True} if kind == "json" else {"status": "careful", "sensitive": "on"}

    assert api.post("/api/v1/statuses", body, format=kind).json()["sensitive"] is True
    other = UserFactory()
    for query in (f"id[]={other.pk}", f"id={other.pk}", f"id[]={other.pk}&id[]={orla.pk}"):
        found = api.get(f"/api/v1/accounts/relationships?{query}").json()
        assert found[0]["id"] == str(other.pk)


def test_literal_none_counts_as_absent(api):
    answer = api.get("/api/v1/timelines/public?max_id=None&limit=5")

    assert answer.status_code == 200


def test_link_header_names_next_first(api, orla):
    for number in range(3):
        services.create_post(author=orla, text=f"note {number}")

    link = api.get("/api/v1/timelines/home?limit=2")["Link"]

    assert link.split(",")[0].endswith('rel="next"')


def test_lists_of_a_status_are_never_null(api, orla):
    post = services.create_post(author=orla, text="plain")

    status = api.get(f"/api/v1/statuses/{post.pk}").json()

    assert [status[name] for name in ("media_attachments", "mentions", "tags", "emojis")] == [[], [], [], []]


@pytest.mark.parametrize(
    "address", ["/api/v1/statuses/1", "/api/v1/statuses/9999999999999999999", "/api/v1/accounts/1"]
)
def test_unknown_ids_are_404_with_an_error_body(api, address):
    answer = api.get(address)

    assert answer.status_code == 404
    assert {"error", "error_description", "status"} <= answer.json().keys()


@pytest.mark.parametrize("query", ["max_id=abc", "limit=-1", "since_id=-5", "min_id=99999999999999999999"])
def test_malformed_pages_are_refused(api, query):
    answer = api.get(f"/api/v1/timelines/home?{query}")

    assert answer.status_code == 422
    assert answer.json()["details"]


def test_reading_needs_a_token_where_it_is_private(client):
    answer = client.get("/api/v1/timelines/home")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_reading_token_cannot_write(orla):
    answer = token(orla, "read").post("/api/v1/statuses", {"status": "no"}, format="json")

    assert answer.status_code == 403
    assert not orla.posts.exists()


def test_fine_scopes_and_the_old_follow_scope(orla):
    other = UserFactory()
    assert token(orla, "write:statuses").post("/api/v1/statuses", {"status": "yes"}).status_code == 200
    assert token(orla, "write:favourites").post("/api/v1/statuses", {"status": "no"}).status_code == 403
    assert token(orla, "follow").post(f"/api/v1/accounts/{other.pk}/follow").status_code == 200


def test_rate_limit_headers(api):
    answer = api.get("/api/v1/timelines/public")

    assert int(answer["X-RateLimit-Limit"]) > int(answer["X-RateLimit-Remaining"]) >= 0
    assert answer["X-RateLimit-Reset"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": ""}, "text"),
        ({"status": "x" * 501}, "text"),
        ({"status": "x", "visibility": "secret"}, "visibility"),
    ],
)
def test_bad_posts_are_refused_and_not_stored(api, orla, body, field):
    answer = api.post("/api/v1/statuses", body, format="json")

    assert answer.status_code == 422
    assert field in str(answer.json()["details"])
    assert not orla.posts.exists()


def test_somebody_elses_media_cannot_be_attached(api):
    answer = api.post("/api/v1/statuses", {"status": "x", "media_ids": ["123"]}, format="json")

    assert answer.status_code == 404


def test_editing_somebody_elses_post_is_refused(api):
    post = services.create_post(author=UserFactory(), text="mine")

    assert api.put(f"/api/v1/statuses/{post.pk}", {"status": "ours"}, format="json").status_code in (403, 404)
    assert api.delete(f"/api/v1/statuses/{post.pk}").status_code in (403, 404)
    post.refresh_from_db()
    assert post.text == "mine"
    assert post.deleted_at is None


def test_instance_says_what_clients_parse(client):
    first, second = client.get("/api/v1/instance/").json(), client.get("/api/v2/instance").json()

    assert first["version"].split("+")[0].count(".") == 2
    assert second["api_versions"]["mastodon"] >= 1
    assert second["configuration"]["statuses"]["max_characters"] == 500


def test_discovery_offers_no_password_grant(client):
    found = client.get("/.well-known/oauth-authorization-server").json()

    assert "password" not in found["grant_types_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert client.get("/nodeinfo/2.0").json()["metadata"]["upstream"]["name"] == "mastodon"


def test_schema_and_its_page(client):
    answer = client.get("/api/schema/?format=json")
    assert answer.status_code == 200
    paths, schemes = answer.json()["paths"], answer.json()["components"]["securitySchemes"]
    assert {f"/api/v1/streaming/{name.replace(':', '/')}/" for name in NAMES} <= paths.keys()
    stream = paths["/api/v1/streaming/user/notification/"]["get"]
    assert "text/event-stream" in stream["responses"]["200"]["content"]
    assert stream["security"] == [{"oauth2": ["read:notifications"]}]
    assert {"oauth2": ["write:statuses"]} in paths["/api/v1/statuses/"]["post"]["security"]
    assert "write:statuses" in schemes["oauth2"]["flows"]["authorizationCode"]["scopes"]
    assert client.get("/api/schema/docs/").status_code == 200


@pytest.mark.parametrize("uris", ["javascript:alert(1)", "ftp://x.example/", ""])
def test_apps_with_unsafe_redirects_are_refused(client, uris):
    answer = client.post("/api/v1/apps", {"client_name": "x", "redirect_uris": uris})

    assert answer.status_code == 422


def test_timeline_queries_do_not_grow_with_the_page(api, orla, django_assert_max_num_queries):
    for number in range(12):
        services.create_post(author=orla, text=f"note {number} #tag")

    with django_assert_max_num_queries(14):
        assert len(api.get("/api/v1/timelines/home?limit=10").json()) == 10


def test_subscribing_answers_with_the_relationship(orla):
    author = UserFactory()
    client = token(orla)
    assert client.post(f"/api/v1/accounts/{author.pk}/subscribe").status_code == 403
    accounts.update_profile(user=author, offers_subscriptions=True)
    assert client.post(f"/api/v1/accounts/{author.pk}/subscribe").json()["subscribing"] is True
    assert client.post(f"/api/v1/accounts/{author.pk}/unsubscribe").json()["subscribing"] is False


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_a_poll_is_asked_answered_and_secret(api, orla, kind):
    asked = {"status": "which?", "poll": {"options": ["a", "b"], "expires_in": 600}}
    form = {"status": "which?", "poll[options][]": ["a", "b"], "poll[expires_in]": "600"}
    made = api.post("/api/v1/statuses", asked if kind == "json" else form, format=kind).json()
    poll = made["poll"]
    assert ([option["title"] for option in poll["options"]], poll["voted"]) == (["a", "b"], False)
    address, voter = f"/api/v1/polls/{poll['id']}", token(UserFactory())
    assert voter.post(f"{address}/votes", {"choices": [0, 1]}, format="json").status_code == 422
    assert voter.post(f"{address}/votes", {"choices": ["1"]}, format=kind).json()["own_votes"] == [1]
    assert voter.post(f"{address}/votes", {"choices": [0]}, format="json").status_code == 422
    assert api.post(f"{address}/votes", {"choices": [0]}, format="json").status_code == 403
    seen = api.get(address).json()
    assert (seen["votes_count"], seen["voted"], [row["votes_count"] for row in seen["options"]]) == (1, False, [0, 1])
    assert "own_votes" not in APIClient().get(address).json()
    plain = services.create_post(author=orla, text="no poll")
    assert voter.get(f"/api/v1/polls/{plain.pk}").status_code == 404


def test_an_empty_poll_is_none(api):
    empty = {"status": "now", "scheduled_at": "", "poll": None}
    assert api.post("/api/v1/statuses", empty, format="json").status_code == 200


def test_posts_for_later(api, orla):
    soon, later = (clock.now() + timedelta(minutes=minutes) for minutes in (4, 60))
    refused = api.post("/api/v1/statuses", {"status": "x", "scheduled_at": soon.isoformat()}, format="json")
    assert refused.status_code == 422
    asked = {"status": "tomorrow", "visibility": "private", "scheduled_at": later.isoformat()}
    made = api.post("/api/v1/statuses", asked).json()
    address = f"/api/v1/scheduled_statuses/{made['id']}"
    assert (made["params"]["text"], made["params"]["visibility"]) == ("tomorrow", "private")
    assert [row["id"] for row in api.get("/api/v1/scheduled_statuses").json()] == [made["id"]]
    assert api.put(address, {"scheduled_at": soon.isoformat()}).status_code == 422
    moved = api.put(address, {"scheduled_at": (later + timedelta(days=1)).isoformat()}).json()
    assert moved["scheduled_at"] > made["scheduled_at"]
    assert token(UserFactory()).get(address).status_code == 404
    assert token(orla, "read").delete(address).status_code == 403
    assert api.delete(address).json() == {}
    assert api.get(address).status_code == 404
    assert not orla.posts.exists()


def test_a_post_says_which_app_wrote_it(orla):
    app = get_application_model().objects.create(
        name="Quill", client_type="confidential", authorization_grant_type="authorization-code"
    )
    client = token(orla)
    AccessToken.objects.filter(user=orla).update(application=app)

    assert client.post("/api/v1/statuses", {"status": "by app"}, format="json").json()["application"]["name"] == "Quill"


def test_a_report_names_an_account_and_perhaps_its_posts(api, orla):
    pest = UserFactory()
    post, other = services.create_post(author=pest, text="Buy now"), services.create_post(author=orla, text="mine")
    sent = {"account_id": pest.pk, "status_ids": [post.pk], "category": "spam", "comment": "again"}

    filed = api.post("/api/v1/reports", sent, format="json").json()
    assert (filed["target_account"]["id"], filed["category"]) == (str(pest.pk), "spam")
    assert api.post("/api/v1/reports", {"account_id": pest.pk, "category": "hate"}, format="json").status_code == 200
    found = Report.objects.filter(reporter=orla).order_by("pk")
    assert [(row.post_id, row.reason) for row in found] == [(post.pk, "spam"), (None, "hate")]
    for wrong, status in (
        ({"category": "boring"}, 422),
        ({"status_ids": [other.pk]}, 422),
        ({"status_ids": [1]}, 404),
        ({"account_id": 1}, 404),
        ({"account_id": orla.pk, "status_ids": []}, 422),
    ):
        assert api.post("/api/v1/reports", sent | wrong, format="json").status_code == status


def test_what_clients_ask_for_when_they_start(api, orla):
    accounts.add_muted_keyword(user=orla, phrase="spoilers")
    for kind in ("green", "black", "white"):
        services.create_post(author=UserFactory(), text=f"#tea, {kind}")

    assert api.get("/api/v1/preferences").json()["posting:default:visibility"] == "public"
    assert api.get("/api/v2/filters").json()[0]["keywords"][0]["keyword"] == "spoilers"
    assert api.get("/api/v1/trends/tags").json()[0]["history"][0]["accounts"] == "3"
    assert {row["source"] for row in api.get("/api/v2/suggestions").json()} == {"global"}
    for empty in ("custom_emojis", "announcements"):
        assert api.get(f"/api/v1/{empty}").json() == []


def test_an_accepted_request_is_told_to_clients_that_know_the_word(api, orla):
    locked = UserFactory(username="locked", is_locked=True)
    accounts.follow(follower=orla, followee=locked)
    accounts.accept_follow(target=locked, requester=orla)

    assert api.get("/api/v1/notifications").json() == []
    assert api.get("/api/v1/notifications/unread_count").json() == {"count": 0}
    [news] = api.get("/api/v1/notifications?types[]=follow_accepted").json()
    assert (news["type"], news["account"]["acct"]) == ("follow_accepted", "locked")
