"""Candidate hydrators one by one, on posts in the store; none of them sees another's columns."""

from dataclasses import replace

import numpy as np
import pytest

from accounts import services as accounts
from feed.home_mixer.arrays import among, found_in
from feed.home_mixer.candidate import NO, YES
from feed.home_mixer.candidate_hydrators.ads_brand_safety_candidate_hydrator import AdsBrandSafetyCandidateHydrator
from feed.home_mixer.candidate_hydrators.blocked_by_candidate_hydrator import BlockedByCandidateHydrator
from feed.home_mixer.candidate_hydrators.core_data_candidate_hydrator import CoreDataCandidateHydrator
from feed.home_mixer.candidate_hydrators.engagement_counts_candidate_hydrator import EngagementCountsCandidateHydrator
from feed.home_mixer.candidate_hydrators.filtered_topics_candidate_hydrator import FilteredTopicsCandidateHydrator
from feed.home_mixer.candidate_hydrators.gizmoduck_candidate_hydrator import GizmoduckCandidateHydrator
from feed.home_mixer.candidate_hydrators.has_media_candidate_hydrator import HasMediaCandidateHydrator
from feed.home_mixer.candidate_hydrators.language_code_candidate_hydrator import LanguageCodeCandidateHydrator
from feed.home_mixer.candidate_hydrators.quote_candidate_hydrator import QuoteCandidateHydrator
from feed.home_mixer.candidate_hydrators.subscription_candidate_hydrator import SubscriptionCandidateHydrator
from feed.home_mixer.candidate_hydrators.vf_candidate_hydrator import VFCandidateHydrator
from feed.home_mixer.candidate_hydrators.video_duration_candidate_hydrator import VideoDurationCandidateHydrator
from feed.home_mixer.scorers.phoenix_scorer import candidate_columns
from moderation.types import Label, LabelSource
from posts import services as posts
from posts.models import Post, PostCounts, PostTopic
from ranking.training import logs
from tests.factories import PostFactory, TopicFactory, UserFactory

from .batches import batch, query

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(viewer):
    """A fresh request of the viewer."""
    return replace(query(), user_id=viewer.pk)


def columns(hydrator, asked, rows):
    answer = hydrator.hydrate(asked, rows)
    return getattr(answer, "columns", answer)


def of(*written, **more):
    """Candidates as sources give them: ids, authors, and what they repost."""
    return batch(
        post_id=[post.pk for post in written],
        author_id=[post.author_id for post in written],
        repost_of_id=[post.repost_of_id or 0 for post in written],
        **more,
    )


def test_core_data_fills_text_and_links_but_never_the_author(asked):
    original = PostFactory(text="hello")
    reply = PostFactory(in_reply_to=original)
    repost = posts.repost(user=UserFactory(), post=original)
    gone = PostFactory()
    posts.delete_post(actor=gone.author, post=gone)
    rows = of(original, reply, repost, gone)
    rows.assign("in_reply_to_id", np.array([0, 1, 0, 9]))
    found = columns(CoreDataCandidateHydrator(), asked, rows)
    assert found["text"][0] == "hello"
    assert found["in_reply_to_id"].tolist() == [0, original.pk, 0, 0]
    assert found["repost_of_id"].tolist() == [0, 0, original.pk, 0]
    assert found["repost_of_user_id"].tolist() == [0, 0, original.author_id, 0]
    assert found["text"][3] == ""
    assert "author_id" not in found


def test_quotes_name_their_author_and_whether_that_one_blocks(asked, viewer):
    rude, kind = UserFactory(), UserFactory()
    quotes = [PostFactory(quote_of=PostFactory(author=author)) for author in (rude, kind)]
    accounts.block(blocker=rude, blocked=viewer)
    plain = PostFactory()
    found = columns(QuoteCandidateHydrator(), asked, of(*quotes, plain))
    assert found["quote_of_user_id"].tolist() == [rude.pk, kind.pk, 0]
    assert found["quoted_author_blocks_viewer"].tolist() == [True, False, False]
    assert found["is_quote"].tolist() == [True, True, False]


def test_the_ranker_reads_of_a_repost_what_training_reads_of_its_original(asked):
    clip = PostFactory()
    Post.objects.filter(pk=clip.pk).update(video_duration_ms=12_000)
    shown = [
        PostFactory(in_reply_to=clip),
        PostFactory(quote_of=clip),
        PostFactory(),
        PostFactory(quote_of=PostFactory()),
    ]
    rows = of(*shown, *(posts.repost(user=UserFactory(), post=post) for post in shown))
    for hydrator in (CoreDataCandidateHydrator(), QuoteCandidateHydrator(), HasMediaCandidateHydrator()):
        for name, values in columns(hydrator, asked, rows).items():
            rows.assign(name, values)
    served = candidate_columns(asked, rows)
    known = logs.read_posts(served.post_ids)
    at = known.index_of(served.post_ids)
    for name in ("author_ids", "is_reply", "has_media", "is_quote", "quoted_video_ms"):
        assert np.array_equal(getattr(served, name), getattr(known, name)[at]), name
    assert served.is_reply.tolist() == [True, False, False, False] * 2
    assert served.is_quote.tolist() == [False, True, False, True] * 2
    assert served.quoted_video_ms.tolist() == [0, 12_000, 0, 0] * 2


def test_media_video_language_and_subscription_are_the_originals(asked):
    original = PostFactory(author=UserFactory())
    Post.objects.filter(pk=original.pk).update(
        video_duration_ms=9_000, has_media=True, language="nl", subscribers_only=True
    )
    repost = Post.objects.create(author=UserFactory(), repost_of=original, conversation_id=0)
    plain = PostFactory()
    rows = of(repost, plain)
    video = columns(VideoDurationCandidateHydrator(), asked, rows)["video_ms"]
    assert video[0] == 9_000
    assert np.isnan(video[1])
    assert columns(HasMediaCandidateHydrator(), asked, rows)["has_media"].tolist() == [True, False]
    assert columns(LanguageCodeCandidateHydrator(), asked, rows)["language"][0] == "nl"
    owners = columns(SubscriptionCandidateHydrator(), asked, rows)["subscription_author_id"]
    assert owners.tolist() == [original.author_id, 0]


def test_profiles_of_authors_and_reposted_authors(asked):
    author = UserFactory(is_adult_author=True)
    accounts.follow(follower=UserFactory(), followee=author)
    repost = posts.repost(user=author, post=PostFactory())
    rows = of(repost, repost)
    rows.assign("author_id", np.array([author.pk, 5]))
    answer = GizmoduckCandidateHydrator().hydrate(asked, rows)
    assert answer.ok.tolist() == [True, False]
    assert answer.columns["author_followers"][0] == 1
    assert answer.columns["author_name"][0] == author.username
    assert answer.columns["author_is_adult"][0] == YES
    assert answer.columns["repost_of_name"][0] == repost.repost_of.author.username


def test_who_blocks_the_viewer(asked, viewer):
    rude = UserFactory()
    accounts.block(blocker=rude, blocked=viewer)
    found = columns(BlockedByCandidateHydrator(), asked, batch(author_id=[rude.pk, viewer.pk]))
    assert found["author_blocks_viewer"].tolist() == [True, False]


def test_counts_are_the_originals_and_unknown_ones_stay_unknown(asked):
    original = PostFactory()
    PostCounts.objects.filter(post=original).update(favorites=5, replies=4, reposts=3, quotes=2, views=10)
    repost = posts.repost(user=UserFactory(), post=original)
    found = columns(
        EngagementCountsCandidateHydrator(), asked, batch(post_id=[repost.pk, 1], repost_of_id=[original.pk, 0])
    )
    assert [found[name][0] for name in ("favorites", "replies", "quotes", "views")] == [5, 4, 2, 10]
    assert np.isnan(found["favorites"][1])


def test_topics_are_the_originals_by_mode_and_without(asked):
    sure, unsure, curated = (TopicFactory() for _ in range(3))
    original = PostFactory()
    for topic, confidence, approved in ((sure, 0.95, False), (unsure, 0.6, False), (curated, 0.1, True)):
        PostTopic.objects.create(post=original, topic=topic, confidence=confidence, is_curated=approved)
    rows = batch(post_id=[99, 100], repost_of_id=[original.pk, 0])

    def filtered(mode, **fields):
        request = replace(asked, params=replace(asked.params, topic_filter_mode=mode), **{"topic_ids": (1,), **fields})
        found = columns(FilteredTopicsCandidateHydrator(), request, rows)
        assert found["unfiltered_topics"] == [{sure.pk, unsure.pk, curated.pk}, set()]
        return found["filtered_topics"][0]

    assert filtered("PostBased90Pct") == {sure.pk}
    assert filtered("PostBased50Pct") == {sure.pk, unsure.pk}
    assert filtered("CuratedV0") == {curated.pk}
    assert filtered("PostBased90Pct", excluded_topic_ids=(5,)) == {sure.pk, unsure.pk, curated.pk}
    runs = FilteredTopicsCandidateHydrator().enabled
    assert [runs(asked), runs(replace(asked, topic_ids=(1,), has_cached_posts=True))] == [False, True]


def test_visibility_has_two_levels_and_looks_at_related_posts(asked):
    def labelled(label):
        post = PostFactory(author=UserFactory())
        post.safety_labels.create(label=label, source=LabelSource.MODERATOR)
        return post

    dull = labelled(Label.DO_NOT_AMPLIFY)
    answer = PostFactory(in_reply_to=dull, author=UserFactory())
    plain = PostFactory()
    rows = of(dull, dull, answer, plain, in_network=[YES, NO, YES, YES], ancestors=[(), (), (dull.pk,), ()])
    rows.assign("post_id", np.array([dull.pk, dull.pk, answer.pk, plain.pk]))
    found = columns(VFCandidateHydrator(), asked, rows)
    # In both lists at once the stricter, recommended verdict counts.
    assert found["is_dropped"].tolist() == [True, True, False, False]
    assert found["drop_ancillary"].tolist() == [False, False, True, False]
    alone = columns(VFCandidateHydrator(), asked, of(dull, in_network=[YES], ancestors=[()]))
    assert alone["is_dropped"].tolist() == [False]


def test_a_post_nobody_judged_has_no_brand_safety_verdict_worth_an_ad(asked):
    found = columns(AdsBrandSafetyCandidateHydrator(), asked, of(PostFactory()))
    assert found["brand_safety"][0] is None or found["brand_safety"][0].name == "MEDIUM_RISK"


@pytest.mark.parametrize(
    "hydrator",
    [
        CoreDataCandidateHydrator(),
        QuoteCandidateHydrator(),
        VideoDurationCandidateHydrator(),
        HasMediaCandidateHydrator(),
        SubscriptionCandidateHydrator(),
        GizmoduckCandidateHydrator(),
        BlockedByCandidateHydrator(),
        LanguageCodeCandidateHydrator(),
        EngagementCountsCandidateHydrator(),
    ],
    ids=lambda hydrator: hydrator.name,
)
def test_replayed_candidates_are_left_alone(hydrator):
    assert hydrator.enabled(query())
    assert not hydrator.enabled(query(has_cached_posts=True))


def test_membership_by_sorting_is_membership():
    draws = np.random.default_rng(7)
    for size in (0, 1, 40):
        ids, values = draws.integers(0, 50, size), draws.integers(0, 60, (3, 30))
        np.testing.assert_array_equal(among(values, ids), np.isin(values, ids))
    at, is_known = found_in(np.array([10, 20]), np.array([20, 5, 30, 10]))
    assert is_known.tolist() == [True, False, False, True]
    assert at[is_known].tolist() == [1, 0]
