"""What is known of a viewer for the models: declared, counted, never guessed."""

import random

import numpy as np
import pytest

from accounts import services as accounts
from feed.home_mixer import geo, interests, minhash, query_builder, topics
from feed.home_mixer.candidate_hydrators.bidirectional_follow_candidate_hydrator import (
    BidirectionalFollowCandidateHydrator,
)
from feed.home_mixer.candidate_hydrators.following_replied_users_candidate_hydrator import (
    FollowingRepliedUsersCandidateHydrator,
)
from feed.home_mixer.candidate_hydrators.mutual_follow_jaccard_candidate_hydrator import (
    MutualFollowJaccardCandidateHydrator,
)
from feed.home_mixer.query_hydrators.followed_grok_topics_query_hydrator import FollowedGrokTopicsQueryHydrator
from feed.home_mixer.query_hydrators.followed_starter_packs_query_hydrator import FollowedStarterPacksQueryHydrator
from feed.home_mixer.query_hydrators.inferred_grok_topics_query_hydrator import InferredGrokTopicsQueryHydrator
from feed.home_mixer.query_hydrators.ip_query_hydrator import IpQueryHydrator
from feed.home_mixer.query_hydrators.mutual_follow_query_hydrator import MutualFollowQueryHydrator
from feed.home_mixer.query_hydrators.user_demographics_query_hydrator import UserDemographicsQueryHydrator
from feed.home_mixer.query_hydrators.user_gender_query_hydrator import UserGenderQueryHydrator
from feed.models import InferredTopics
from feed.types import FeedRequest
from posts import services as posts
from posts.models import PostTopic
from tests.factories import PostFactory, StarterPackFactory, TopicFactory, UserFactory
from xsocial.kernel.errors import Unavailable

from .batches import batch, query

JACCARD = {"enable_jaccard": True}


# --- MinHash ------------------------------------------------------------------------------------


def test_products_modulo_the_prime_are_exact():
    draws = random.Random(7)
    pairs = [(draws.randrange(minhash.PRIME), draws.randrange(minhash.PRIME)) for _ in range(500)]
    pairs += [(minhash.PRIME - 1, minhash.PRIME - 1), (0, 5), (1, minhash.PRIME - 1), (1 << 60, 1 << 60)]
    x, a = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    assert minhash._product(x, a).tolist() == [one * other % minhash.PRIME for one, other in pairs]


@pytest.mark.parametrize("shared", [0, 250, 500])
def test_equal_positions_estimate_the_jaccard_index(shared):
    rng = np.random.default_rng(shared)
    members = rng.integers(1, 2**62, 1_000)
    mine, theirs = members[:500], members[500 - shared : 1_000 - shared]
    truth = shared / (1_000 - shared)
    found = minhash.similarity(minhash.signature(mine), minhash.signature(theirs))
    assert abs(found - truth) < 4 / np.sqrt(minhash.HASHES)


@pytest.mark.django_db
def test_signatures_are_of_mutual_follows_only():
    viewer, twin, other, fan = (UserFactory() for _ in range(4))
    for person in (twin, other):
        accounts.follow(follower=viewer, followee=person)
        accounts.follow(follower=person, followee=viewer)
    accounts.follow(follower=twin, followee=other)
    accounts.follow(follower=other, followee=twin)
    accounts.follow(follower=fan, followee=viewer)
    assert minhash.rebuild() == 3
    asked = query(params=JACCARD)
    found = MutualFollowQueryHydrator().hydrate(query_of(viewer, params=JACCARD))["viewer_minhash"]
    assert found.tolist() == minhash.signature(np.array([twin.pk, other.pk])).tolist()
    rows = batch(author_id=[viewer.pk, fan.pk, twin.pk])
    values = MutualFollowJaccardCandidateHydrator().hydrate(query(params=JACCARD, viewer_minhash=found), rows)
    column = values.columns["mutual_follow_jaccard"]
    assert column[0] == 1.0
    assert np.isnan(column[1])
    assert column[2] == pytest.approx(1 / 3, abs=0.15)
    assert not MutualFollowJaccardCandidateHydrator().enabled(asked)  # without a signature
    accounts.unfollow(follower=other, followee=twin)
    accounts.unfollow(follower=other, followee=viewer)
    assert minhash.rebuild() == 2


@pytest.mark.django_db
def test_short_signatures_give_nothing_or_an_error():
    author = UserFactory()
    short = query(params=JACCARD, viewer_minhash=np.arange(10))
    values = MutualFollowJaccardCandidateHydrator().hydrate(short, batch(author_id=[author.pk]))
    assert np.isnan(values.columns["mutual_follow_jaccard"]).all()
    minhash.MutualFollowSignature.objects.create(user=author, signature=np.arange(10).astype("<i8").tobytes())
    whole = query(params=JACCARD, viewer_minhash=np.arange(256))
    with pytest.raises(Unavailable):
        MutualFollowJaccardCandidateHydrator().hydrate(whole, batch(author_id=[author.pk]))


def query_of(user, **fields):
    from dataclasses import replace

    return replace(query(**fields), user_id=user.pk)


@pytest.mark.django_db
def test_who_follows_the_viewer_back(viewer, friend):
    fan = UserFactory()
    accounts.follow(follower=fan, followee=viewer)
    accounts.follow(follower=friend, followee=viewer)
    rows = batch(author_id=[friend.pk, fan.pk, viewer.pk])
    asked = query_of(viewer, followed_user_ids=[friend.pk])
    answer = BidirectionalFollowCandidateHydrator().hydrate(asked, rows)
    assert answer["author_follows_viewer"].tolist() == [1, 1, 0]
    assert answer["is_mutual_follow_author"].tolist() == [True, False, False]
    some = query_of(viewer, followed_user_ids=[friend.pk], params={"check_all_followers": False})
    answer = BidirectionalFollowCandidateHydrator().hydrate(some, rows)
    assert answer["author_follows_viewer"].tolist() == [-1, -1, -1]
    assert answer["is_mutual_follow_author"].tolist() == [True, False, False]


# --- Faces --------------------------------------------------------------------------------------

POPULAR = {"viewer": {"follower_count": 1_000}}


def faces(rows, **params):
    asked = query(params={"enable_facepile": True, "facepile_max_posts": 9, **params}, **POPULAR)
    asked.memo.put("in_network_replies", (np.array([5, 4, 5, 6, 1]), np.array([10, 10, 10, 20, 10])))
    assert FollowingRepliedUsersCandidateHydrator().enabled(asked)
    return FollowingRepliedUsersCandidateHydrator().hydrate(asked, rows)["following_replied_user_ids"]


def test_faces_are_of_followed_people_who_answered_a_root():
    rows = batch(post_id=[10, 20, 30], author_id=[1, 2, 3], in_reply_to_id=[0, 9, 0])
    assert faces(rows) == [(4, 5), (), ()]


def test_faces_are_bounded_by_people_and_posts():
    rows = batch(post_id=[30, 10, 20], author_id=[3, 1, 2])
    assert faces(rows, facepile_min_users=2) == [(), (4, 5), ()]
    # With no least number a post without faces still takes a slot.
    assert faces(rows, facepile_max_posts=1) == [(), (), ()]
    assert faces(rows, facepile_max_posts=2) == [(), (4, 5), ()]
    assert faces(rows, facepile_max_posts=-3) == [(), (), ()]


def test_faces_need_a_thousand_followers_and_the_switch():
    hydrator = FollowingRepliedUsersCandidateHydrator()
    assert not hydrator.enabled(query(params={"enable_facepile": True}, viewer={"follower_count": 999}))
    assert not hydrator.enabled(query(**POPULAR))


# --- The person ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "bracket"), [(12, 0), (13, 1), (17, 1), (18, 2), (34, 3), (64, 6), (90, 7)])
def test_age_brackets(age, bracket):
    asked = query(viewer={"birth_year": query().year - age, "country_code": "NL"})
    found = UserDemographicsQueryHydrator().hydrate(asked)["user_demographics"]
    assert found == {"age_bracket": bracket, "age": age, "country": "NL"}


def test_who_says_nothing_is_nothing():
    assert UserDemographicsQueryHydrator().hydrate(query())["user_demographics"]["age_bracket"] is None
    assert UserGenderQueryHydrator().hydrate(query())["user_gender"] == ""
    assert UserGenderQueryHydrator().hydrate(query(viewer={"gender": "woman"}))["user_gender"] == "woman"


def test_context_is_gathered_by_parameter_and_for_shadow_traffic():
    off = {"params": {"enable_context_features": False, "enable_declared_gender": False}}
    for hydrator in (UserDemographicsQueryHydrator(), UserGenderQueryHydrator(), FollowedStarterPacksQueryHydrator()):
        assert hydrator.enabled(query())
        assert not hydrator.enabled(query(**off))
        assert hydrator.enabled(query(is_shadow_traffic=True, **off))


@pytest.mark.django_db
def test_gender_and_snoozed_topics_come_from_the_settings(viewer):
    topic = TopicFactory()
    accounts.snooze_topic(user=viewer, topic=topic)
    viewer.gender = "man"
    viewer.save(update_fields=["gender"])
    asked = query_builder.build(viewer.pk, FeedRequest(excluded_topic_ids=(7,)))
    assert (asked.viewer.gender, asked.excluded_topic_ids) == ("man", (7, topic.pk))
    assert query_builder.build(viewer.pk, FeedRequest(topic_ids=(8,))).excluded_topic_ids == ()
    assert query_builder.build(viewer.pk, FeedRequest(in_network_only=True)).excluded_topic_ids == ()


# --- Topics and packs ---------------------------------------------------------------------------


def test_a_loop_in_the_topics_ends_no_page():
    loop = topics.TopicTree({1: 1, 2: 3, 3: 2, 4: None})
    assert loop.multi_hot([1, 2, 4]).tolist() == [True] + [False] * 31
    assert loop.expand(2) == {2, 3}


TREE = topics.TopicTree({10: None, 20: None, 21: 20, 22: 21, 30: None})


def test_topics_below_count_for_their_parent_topic():
    assert np.flatnonzero(TREE.multi_hot([22, 30, 99])).tolist() == [1, 2]
    assert np.flatnonzero(TREE.multi_hot([22, 21, 30, 10], at_most=2)).tolist() == [1, 2]
    wide = topics.TopicTree(dict.fromkeys(range(1, 40)))
    assert wide.multi_hot(range(1, 40)).sum() == 32


@pytest.mark.django_db
def test_followed_topics_and_packs_as_yes_or_no(viewer):
    first, second = TopicFactory(position=1), TopicFactory(position=2)
    below = TopicFactory(position=3, parent=second)
    accounts.follow_topic(user=viewer, topic=below)
    found = FollowedGrokTopicsQueryHydrator().hydrate(query_of(viewer))
    assert np.flatnonzero(found["followed_grok_topics"]).tolist() == [1]
    packs = [StarterPackFactory(creator=UserFactory(), position=place) for place in range(3)]
    accounts.follow_starter_pack(user=viewer, pack=packs[2])
    found = FollowedStarterPacksQueryHydrator().hydrate(query_of(viewer))["followed_starter_packs"]
    assert (len(found), np.flatnonzero(found).tolist()) == (20, [2])
    assert first.pk


@pytest.mark.django_db
def test_inferred_topics_are_those_of_what_was_liked(viewer):
    often, once, doubtful = (TopicFactory(position=place) for place in range(3))
    for topic, confidence, likes in ((often, 1.0, 2), (once, 0.9, 1), (doubtful, 0.3, 3)):
        for _ in range(likes):
            post = PostFactory()
            PostTopic.objects.create(post=post, topic=topic, confidence=confidence)
            posts.favorite(user=viewer, post=post)
    stale = InferredTopics.objects.create(user=UserFactory(), topic_ids=[often.pk])
    assert interests.rebuild() == 1
    assert InferredTopics.objects.get(user=viewer).topic_ids == [often.pk, once.pk]
    assert not InferredTopics.objects.filter(pk=stale.pk).exists()
    found = InferredGrokTopicsQueryHydrator().hydrate(query_of(viewer, params={"max_inferred_topics": 1}))
    assert np.flatnonzero(found["inferred_grok_topics"]).tolist() == [0]
    assert InferredGrokTopicsQueryHydrator().hydrate(query()) == {}


# --- Where ---------------------------------------------------------------------------------------


class Atlas:
    """A location database in MaxMind's answers."""

    def get(self, address):
        if address == "x":
            raise ValueError(address)
        places = {"192.0.2.1": {"country": {"iso_code": "NL"}, "subdivisions": [{"iso_code": "NH"}], "postal": {}}}
        return places.get(address)


@pytest.mark.parametrize(
    ("address", "place"),
    [("192.0.2.1", {"country": "NL", "region": "NH"}), ("127.0.0.1", None), ("x", None)],
)
def test_an_address_becomes_country_and_region(monkeypatch, address, place):
    monkeypatch.setattr(geo, "_reader", lambda path: Atlas())
    asked = query(ip_address=address)
    assert IpQueryHydrator().enabled(asked)
    assert IpQueryHydrator().hydrate(asked) == {"ip_location": place}


def test_no_database_and_no_address_locate_nobody(settings, tmp_path):
    assert geo.locate("192.0.2.1") is None
    settings.GEOIP_DATABASE = str(tmp_path / "missing.mmdb")
    assert geo.locate("192.0.2.1") is None
    assert not IpQueryHydrator().enabled(query())


def test_the_address_is_in_no_record_of_the_request():
    assert "192.0.2.1" not in repr(query(ip_address="192.0.2.1"))
    assert "192.0.2.1" not in repr(FeedRequest(ip_address="192.0.2.1"))
