"""Streams: who gets what, decided per receiver, and what the wires look like to strangers' clients."""

import asyncio
import json
import time
from datetime import timedelta
from secrets import token_hex
from types import SimpleNamespace

import pytest
import requests
from django.core.asgi import get_asgi_application
from django.test import RequestFactory
from mastodon import Mastodon, StreamListener
from oauth2_provider.models import AccessToken
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accounts import services as accounts
from feed import live
from feed.streaming import delivery, sse
from feed.streaming.connections import MAX_PER_PERSON, QUEUE_LENGTH, Connection, Message, hub
from feed.streaming.streams import Stream, stream_of
from moderation.events import PostLabelled
from moderation.types import Label
from posts import services as posts
from posts.events import PostCreated, PostDeleted, PostEdited
from tests import live as servers
from tests.factories import FollowFactory, MediaFactory, PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import RateLimited
from xsocial.kernel.event_log import relay
from xsocial.routing import routed

pytestmark = pytest.mark.django_db


def token(user, scope: str = "read") -> AccessToken:
    return AccessToken.objects.create(
        user=user, token=token_hex(), scope=scope, expires=clock.now() + timedelta(hours=1)
    )


class Listener(Connection):
    """A connection that keeps what it was told, beside any loop."""

    def __init__(self, user, *streams: str, tag: str = "", list_id: int = 0, scope: str = "read") -> None:
        super().__init__(user.pk, token(user, scope).pk, tuple(scope.split()), RequestFactory().get("/"), loop=None)
        self.streams = frozenset(stream_of(name, tag, list_id=list_id) for name in streams)
        self.told: list[Message] = []
        self.has_ended = False

    def tell(self, message: Message) -> None:
        self.told.append(message)

    def end(self) -> None:
        hub.leave(self)
        self.has_ended = True

    @property
    def heard(self) -> list[str]:
        return [f"{message.stream.name} {message.event}" for message in self.told]


@pytest.fixture
def listen():
    """Opens streams and closes them after the test."""
    opened = []

    def listen_one(user, *streams, **options) -> Listener:
        opened.append(Listener(user, *streams, **options))
        hub.join(opened[-1])
        return opened[-1]

    yield listen_one
    for connection in opened:
        hub.leave(connection)


def happens(event: type, post, **more) -> None:
    given = {"post_id": post.pk, "author_id": post.author_id, "created_ms": 0, **more}
    delivery.handle(event(**given))


def created(post) -> None:
    happens(PostCreated, post, conversation_id=post.pk)


EVERYTHING = ("user", "public", "public:local", "hashtag")


def test_a_public_post_reaches_each_stream_it_belongs_to(listen):
    author, reader, stranger = UserFactory(), UserFactory(), UserFactory()
    FollowFactory(follower=reader, followee=author)
    mine, theirs = listen(reader, *EVERYTHING, tag="#Sea"), listen(stranger, *EVERYTHING, tag="land")
    pictures = listen(stranger, "public:media")
    created(PostFactory(author=author, text="Calm #sea"))
    assert sorted(mine.heard) == ["hashtag update", "public update", "public:local update", "user update"]
    assert sorted(theirs.heard) == ["public update", "public:local update"]
    assert pictures.heard == []
    created(PostFactory(author=author, text="Look", media=[MediaFactory(owner=author)]))
    assert pictures.heard == ["public:media update"]
    status = json.loads(mine.told[0].payload)
    assert (status["account"]["acct"], status["favourited"]) == (author.username, False)


@pytest.mark.parametrize("visibility", ["public", "private", "direct"])
def test_no_post_of_a_locked_account_reaches_a_stranger(listen, visibility):
    author, follower, stranger = UserFactory(is_locked=True), UserFactory(), UserFactory()
    accounts.follow(follower=follower, followee=author)
    accounts.accept_follow(target=author, requester=follower)
    accounts.follow(follower=stranger, followee=author)  # asked, and not let in
    inside, outside = (listen(user, *EVERYTHING, tag="sea") for user in (follower, stranger))
    post = PostFactory(author=author, text="Behind the door #sea", visibility=visibility)
    created(post)
    happens(PostEdited, post, edited_ms=0)
    happens(PostDeleted, post)
    assert outside.told == []
    assert ("user update" in inside.heard) == (visibility != "direct")


def test_followers_only_posts_reach_followers_only(listen):
    author, follower, stranger = UserFactory(), UserFactory(), UserFactory()
    FollowFactory(follower=follower, followee=author)
    inside, outside = (listen(user, *EVERYTHING, tag="sea") for user in (follower, stranger))
    created(PostFactory(author=author, text="For you #sea", visibility="private"))
    assert (inside.heard, outside.told) == (["user update"], [])


def test_a_list_gets_its_people_and_only_for_its_owner(listen):
    author, other, reader, stranger = (UserFactory() for _ in range(4))
    for followed in (author, other):
        FollowFactory(follower=reader, followee=followed)
    FollowFactory(follower=stranger, followee=author)
    close = accounts.create_list(owner=reader, title="Close", is_exclusive=True)
    accounts.add_to_list(people_list=close, user_ids=[author.pk])
    mine, theirs = (listen(user, "list", "user", list_id=close.pk) for user in (reader, stranger))
    post = PostFactory(author=author, text="For a few", visibility="private")
    created(post)
    created(PostFactory(author=other))
    happens(PostDeleted, post)
    assert sorted(mine.heard) == ["list delete", "list update", "user update"]
    assert theirs.heard == ["user update", "user delete"]
    assert mine.told[0].stream.label == ["list", str(close.pk)]


@pytest.mark.parametrize("by_author", [True, False])
def test_a_block_either_way_and_a_mute_keep_posts_away(listen, by_author):
    author, reader, muting = UserFactory(), UserFactory(), UserFactory()
    stream, quiet = (listen(user, *EVERYTHING, tag="sea") for user in (reader, muting))
    one, other = (author, reader) if by_author else (reader, author)
    accounts.block(blocker=one, blocked=other)
    accounts.mute(muter=muting, muted=author)
    created(PostFactory(author=author, text="Calm #sea"))
    assert (stream.told, quiet.told) == ([], [])


def test_muted_words_and_labels_keep_posts_away(listen):
    author, reader, plain = UserFactory(), UserFactory(), UserFactory()
    for follower in (reader, plain):
        FollowFactory(follower=follower, followee=author)
    accounts.add_muted_keyword(user=reader, phrase="rainy day")
    sensitive, other, own = listen(reader, "user", "public"), listen(plain, "user"), listen(author, "user")
    created(PostFactory(author=author, text="Rainy  Day again"))
    assert (sensitive.told, other.heard) == ([], ["user update"])
    post = PostFactory(author=author, text="Buy now")
    delivery.handle(PostLabelled(post_id=post.pk, applied=(str(Label.SPAM),), lifted=(), at_ms=0))
    assert sorted(sensitive.heard) == ["public delete", "user delete"]
    assert (other.heard[-1], own.heard) == ("user delete", ["user update"])


def test_a_quoted_post_is_shown_only_to_those_who_may_open_it(listen):
    author, quoted_author, blocked, reader = (UserFactory() for _ in range(4))
    inside, outside = listen(reader, "public"), listen(blocked, "public")
    accounts.block(blocker=quoted_author, blocked=blocked)
    created(PostFactory(author=author, quote_of=PostFactory(author=quoted_author, text="The quoted words")))
    assert "The quoted words" in inside.told[0].payload
    assert json.loads(outside.told[0].payload)["quote"] == {"state": "unauthorized", "quoted_status": None}


def test_edits_and_deletions_follow_the_post(listen):
    author = UserFactory()
    reader = listen(UserFactory(), "public")
    post = PostFactory(author=author, text="One")
    posts.edit_post(editor=author, post=post, text="Two")
    happens(PostEdited, post, edited_ms=0)
    posts.delete_post(actor=author, post=post)
    happens(PostDeleted, post)
    assert reader.heard == ["public status.update", "public delete"]
    assert "Two" in reader.told[0].payload
    assert reader.told[1].payload == str(post.pk)


def test_notifications_go_to_their_recipient_with_the_scope_for_them(listen):
    reader, other, author = UserFactory(username="reader"), UserFactory(), UserFactory()
    both = listen(reader, "user", "user:notification")
    narrow = listen(reader, "user", scope="read:statuses")
    stranger = listen(other, "user", "user:notification")
    PostFactory(author=author, text="@reader a word with you", visibility="direct")
    relayed = live.Tail("0-0")
    relay.relay_batch()
    for envelope in relayed.read(block_ms=1):
        delivery.handle(envelope.event)
    assert sorted(both.heard) == ["user notification", "user:notification notification"]
    assert (narrow.told, stranger.told) == ([], [])
    news = json.loads(both.told[0].payload)
    assert (news["type"], news["status"]["visibility"]) == ("mention", "direct")


def test_news_that_clients_have_no_word_for_stay_on_the_site(listen):
    asking, locked = UserFactory(), UserFactory(is_locked=True)
    stream = listen(asking, "user", "user:notification")
    accounts.follow(follower=asking, followee=locked)
    relayed = live.Tail("0-0")
    accounts.accept_follow(target=locked, requester=asking)
    relay.relay_batch()
    for envelope in relayed.read(block_ms=1):
        delivery.handle(envelope.event)
    assert stream.told == []


def test_a_closed_token_and_a_suspended_person_hear_nothing_more(listen):
    revoked, suspended, fine = (listen(UserFactory(), "public") for _ in range(3))
    AccessToken.objects.filter(pk=revoked.token_id).delete()
    type(UserFactory()).objects.filter(pk=suspended.user_id).update(suspended_at=clock.now())
    created(PostFactory())
    assert (revoked.told, suspended.told, fine.heard) == ([], [], ["public update"])
    delivery.tend()
    assert (revoked.has_ended, suspended.has_ended, fine.has_ended) == (True, True, False)


def test_nobody_listening_costs_nothing(listen, django_assert_num_queries):
    post = PostFactory()
    with django_assert_num_queries(0):
        created(post)
    listen(UserFactory(), "user:notification")
    with django_assert_num_queries(0):
        created(post)


def test_many_listeners_cost_what_one_costs(listen, django_assert_max_num_queries):
    author = UserFactory()
    listeners = [listen(UserFactory(), "user", "public") for _ in range(12)]
    post = PostFactory(author=author)
    with django_assert_max_num_queries(25):
        created(post)
    assert all(listener.heard == ["public update"] for listener in listeners)


def test_one_person_opens_only_so_many(listen):
    person = UserFactory()
    for _ in range(MAX_PER_PERSON):
        listen(person, "user")
    with pytest.raises(RateLimited):
        listen(person, "user")


def test_a_reader_who_falls_behind_is_closed_and_keeps_no_memory():
    async def fall_behind() -> tuple[int, int]:
        ended = []
        one = Connection(
            1, 1, (), RequestFactory().get("/"), asyncio.get_running_loop(), on_end=lambda: ended.append(1)
        )
        hub.join(one)
        for number in range(QUEUE_LENGTH + 1):
            one.tell(Message(Stream("public"), "delete", str(number)))
        await asyncio.sleep(0)
        return one.queue.qsize(), len(ended)

    assert asyncio.run(fall_behind()) == (QUEUE_LENGTH, 1)
    assert not hub


def test_the_answer_to_a_reader_who_takes_nothing_ends(monkeypatch):
    monkeypatch.setattr(sse, "LEAVING_S", 0.01)
    connection = SimpleNamespace()

    async def opened(scope, receive) -> Connection:
        loop = asyncio.get_running_loop()
        connection.made = Connection(1, 1, (), RequestFactory().get("/"), loop)
        hub.join(connection.made)
        return connection.made

    async def stand_still(*message) -> None:
        await asyncio.Event().wait()

    async def serve() -> None:
        monkeypatch.setattr(sse, "_opened", opened)
        answer = asyncio.create_task(sse.application({}, stand_still, stand_still))
        await asyncio.sleep(0)
        while not hub:
            await asyncio.sleep(0)
        for _ in range(QUEUE_LENGTH + 1):
            connection.made.tell(Message(Stream("public"), "delete", "1"))
        await asyncio.wait_for(answer, 5)

    asyncio.run(serve())
    assert not hub


@pytest.mark.parametrize(("name", "tag"), [("", ""), ("list", ""), ("hashtag", ""), ("hashtag", "x" * 101), (None, "")])
def test_streams_that_are_not_there(name, tag):
    with pytest.raises(ValueError, match=r"stream|hashtag|list"):
        stream_of(name, tag)


# --- The wires, with strangers' clients -------------------------------------------------------


@pytest.fixture
def streaming(transactional_db):
    """The site without the feed's warm-up, which streams do not need."""
    with servers.site(routed(get_asgi_application())) as address:
        yield address
    live.stream_tail.stop()


class Ear(StreamListener):
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def on_update(self, status) -> None:
        self.heard.append(("update", status.content))

    def on_status_update(self, status) -> None:
        self.heard.append(("status.update", status.content))

    def on_delete(self, status_id) -> None:
        self.heard.append(("delete", str(status_id)))

    def on_notification(self, notification) -> None:
        self.heard.append(("notification", notification.type))

    def waits_for(self, count: int) -> list[tuple[str, str]]:
        until(lambda: len(self.heard) >= count)
        return self.heard


def until(holds) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_mastodon_py_listens(streaming):
    author, reader = UserFactory(username="author"), UserFactory(username="reader")
    FollowFactory(follower=reader, followee=author)
    key = token(reader)
    api = Mastodon(access_token=key.token, api_base_url=streaming, version_check_mode="none")
    assert api.stream_healthy()
    close = accounts.create_list(owner=reader, title="Close")
    accounts.add_to_list(people_list=close, user_ids=[author.pk])
    user, public, tag, listed = Ear(), Ear(), Ear(), Ear()
    handles = [
        api.stream_user(user, run_async=True),
        api.stream_public(public, run_async=True),
        api.stream_hashtag("sea", tag, run_async=True),
        api.stream_list(close.pk, listed, run_async=True),
    ]
    until(lambda: len(hub.everybody()) == 4 and all(handle.is_receiving() for handle in handles))
    relay.relay_batch()

    def happen(step) -> None:
        step()
        relay.relay_batch()

    post = PostFactory(author=author, text="Calm #Sea today, @reader")
    relay.relay_batch()
    tag.waits_for(1)
    happen(lambda: posts.edit_post(editor=author, post=post, text="Rough #sea today, @reader"))
    tag.waits_for(2)
    happen(lambda: posts.delete_post(actor=author, post=post))
    kinds = ["update", "status.update", "delete"]
    assert [kind for kind, _ in tag.waits_for(3)] == kinds
    assert [kind for kind, _ in public.waits_for(3)] == kinds
    assert [kind for kind, _ in listed.waits_for(3)] == kinds
    assert sorted(kind for kind, _ in user.waits_for(4)) == sorted([*kinds, "notification"])
    assert user.heard[-1] == ("delete", str(post.pk))
    AccessToken.objects.all().delete()
    PostFactory(author=author, text="Unheard")
    relay.relay_batch()
    delivery.tend()
    until(lambda: not hub)
    assert all("Unheard" not in text for ear in (user, public, tag, listed) for _, text in ear.heard)
    for handle in handles:
        handle.close()


@pytest.mark.django_db(transaction=True)
def test_a_websocket_subscribes_and_unsubscribes(streaming):
    author, reader = UserFactory(), UserFactory()
    FollowFactory(follower=reader, followee=author)
    foreign, close = (accounts.create_list(owner=user, title="Close") for user in (author, reader))
    accounts.add_to_list(people_list=close, user_ids=[author.pk])
    key = token(reader)
    address = streaming.replace("http", "ws") + "/api/v1/streaming"
    with connect(address, additional_headers={"Authorization": f"Bearer {key.token}"}) as socket:
        socket.send('{"type": "subscribe", "stream": "hashtag", "tag": "Sea"}')
        socket.send('{"type": "subscribe", "stream": "direct"}')
        assert json.loads(socket.recv(5)) == {"error": "Unknown stream type", "status": 400}
        socket.send(json.dumps({"type": "subscribe", "stream": "list", "list": str(foreign.pk)}))
        assert json.loads(socket.recv(5)) == {"error": "There is no such list.", "status": 404}
        for nonsense in ("not json", "[1]", '{"type": 7}'):
            socket.send(nonsense)
        PostFactory(author=author, text="Calm #sea")
        relay.relay_batch()
        message = json.loads(socket.recv(5))
        assert (message["stream"], message["event"]) == (["hashtag", "sea"], "update")
        assert "Calm" in json.loads(message["payload"])["content"]
        socket.send('{"type": "unsubscribe", "stream": "hashtag", "tag": "sea"}')
        until(lambda: not hub.everybody()[0].streams)
        socket.send(json.dumps({"type": "subscribe", "stream": "list", "list": str(close.pk)}))
        until(lambda: hub.everybody()[0].streams)
        PostFactory(author=author, text="For a few")
        relay.relay_batch()
        assert json.loads(socket.recv(5))["stream"] == ["list", str(close.pk)]
    with connect(f"{address}?stream=public&access_token={key.token}") as socket:
        PostFactory(author=author, text="By address")
        relay.relay_batch()
        assert json.loads(socket.recv(5))["stream"] == ["public"]
        key.delete()
        delivery.tend()
        with pytest.raises(ConnectionClosed):
            socket.recv(5)


@pytest.mark.django_db(transaction=True)
def test_who_may_not_listen_is_told_why(streaming):
    narrow = token(UserFactory(), "read:notifications")
    expired = token(UserFactory())
    AccessToken.objects.filter(pk=expired.pk).update(expires=clock.now() - timedelta(seconds=1))
    base = f"{streaming}/api/v1/streaming"

    def status(path: str, key: str = "") -> int:
        answer = requests.get(f"{base}/{path}", headers={"Authorization": f"Bearer {key}"}, stream=True, timeout=5)
        answer.close()
        return answer.status_code

    assert status("public") == 401
    assert status("public", expired.token) == 401
    assert status("public", narrow.token) == 403
    assert status("user/notification", narrow.token) == 200
    assert status("direct", narrow.token) == 400
    assert status("hashtag", narrow.token) == 400
    assert status("list", narrow.token) == 400
    foreign = accounts.create_list(owner=UserFactory(), title="Not theirs")
    assert status(f"list?list={foreign.pk}", token(UserFactory()).token) == 404
    assert requests.post(f"{base}/public", timeout=5).status_code == 400
    assert requests.get(f"{base}/public", headers={"Host": "elsewhere.example"}, timeout=5).status_code == 400
    crowd = "?" + "&".join(f"field{number}=1" for number in range(60))
    assert requests.get(f"{base}/public{crowd}", timeout=5).status_code == 400
    for query, code in (("", 401), (f"?stream=public&access_token={narrow.token}", 403), (crowd, 400)):
        with pytest.raises(InvalidStatus) as refusal:
            connect(base.replace("http", "ws") + query)
        assert refusal.value.response.status_code == code
    until(lambda: not hub)


def test_the_instance_names_the_streaming_base(client):
    assert client.get("/api/v1/instance").json()["urls"]["streaming_api"] == "ws://testserver"
    assert client.get("/api/v2/instance").json()["configuration"]["urls"]["streaming"] == "ws://testserver"
    assert client.get("/api/v1/streaming/health").content == b"OK"
