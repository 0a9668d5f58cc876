"""Noes of many: they fade, linked people are one voice, and everybody can take their own back."""

from datetime import timedelta

import numpy as np
import pytest

from accounts import services as accounts
from feed import services, tasks
from feed.home_mixer.params import Params
from feed.models import AuthorStanding, FeatureParameter
from feed.signals import own, standing
from feed.signals.kinds import Kind
from feed.signals.voices import HOUR_MS, Objectors, decayed, factor, voices
from moderation import services as moderation
from posts import services as posts
from posts.models import Engagement
from posts.types import EngagementKind
from tests.factories import PostFactory, UserFactory
from xsocial.kernel import clock
from xsocial.kernel.errors import Conflict, NotFound

CROWD, VIEWERS = 500, 4_000


def crowd(pairs, *, outside=0, spread_ms=30 * 24 * HOUR_MS, share=0.0, n=CROWD, ties=None):
    pairs = np.array(pairs, np.int64).reshape(-1, 2)
    inside = np.bincount(pairs.ravel(), minlength=n)
    return Objectors(
        weights=np.ones(n),
        at_ms=np.linspace(0, spread_ms, n).astype(np.int64),
        ties=inside + outside if ties is None else ties,
        pairs=pairs,
        share=share,
    )


def lost(objectors, viewers=VIEWERS):
    """What an author loses of their reach."""
    limits = Params()
    return 1 - factor(
        voices(objectors),
        viewers,
        prior=limits.standing_prior,
        tolerance=limits.standing_tolerance,
        half_rate=limits.standing_half_rate,
        floor=limits.standing_floor,
    )


UNRELATED = crowd([], outside=30)
LINKED = {
    "everybody knows everybody": crowd([(a, b) for a in range(CROWD) for b in range(a)]),
    "a ring": crowd([(n, (n + 1) % CROWD) for n in range(CROWD)]),
    "a star": crowd([(0, n) for n in range(1, CROWD)]),
    "a ring that waits for months": crowd([(n, (n + 1) % CROWD) for n in range(CROWD)], spread_ms=365 * 24 * HOUR_MS),
    "with some friends elsewhere": crowd([(a, b) for a in range(CROWD) for b in range(max(0, a - 9), a)], outside=6),
    "known to nobody, within the hour": crowd([], spread_ms=HOUR_MS // 2),
}


@pytest.mark.parametrize("how", LINKED)
@pytest.mark.parametrize("viewers", [500, 4_000, 20_000])
def test_500_linked_accounts_move_less_than_a_twentieth_of_what_500_unrelated_ones_do(how, viewers):
    assert lost(UNRELATED, viewers) > 0.15
    assert lost(LINKED[how], viewers) < 0.05 * lost(UNRELATED, viewers)


def test_linked_people_do_not_quieten_the_others():
    both = crowd([(a, b) for a in range(250) for b in range(a)], ties=np.r_[np.full(250, 249), np.full(250, 30)])
    assert voices(both) == pytest.approx(251)


def test_a_random_half_of_a_small_town_is_not_taken_for_a_ring():
    draws = np.random.default_rng(5)
    town = np.triu(draws.random((1_000, 1_000)) < 0.05, 1)
    degrees = (town | town.T).sum(axis=0)
    pairs = np.argwhere(town[:CROWD, :CROWD])
    assert voices(crowd(pairs, ties=degrees[:CROWD], share=0.5)) > 0.9 * CROWD


def test_signals_fade_by_half_lives_and_a_few_noes_change_nothing():
    assert decayed(np.array([0, 90, 180]) * 24 * HOUR_MS, 90).tolist() == [1.0, 0.5, 0.25]
    assert lost(crowd([], outside=30, n=1), viewers=0) == 0.0
    assert lost(UNRELATED, viewers=0) < 1 - Params().standing_floor
    assert voices(crowd([], n=0)) == 0.0


# --- In the product -----------------------------------------------------------------------------

db = pytest.mark.django_db


@pytest.fixture
def disliked():
    """An author whom six people with friends of their own block, and one reports gravely."""
    author = UserFactory()
    for _ in range(6):
        person, friend = UserFactory(), UserFactory()
        accounts.follow(follower=person, followee=friend)
        accounts.follow(follower=friend, followee=person)
        accounts.block(blocker=person, blocked=author)
    moderation.report(user=UserFactory(), account=author, reason="child_safety")
    FeatureParameter.objects.create(name="standing_prior", value=10)
    yield author
    standing.forget()


@db
def test_the_weighing_counts_people_expires_and_is_repeatable(disliked):
    assert tasks.weigh_signals() == tasks.weigh_signals() == 1
    found = AuthorStanding.objects.get()
    assert (found.author, found.people, found.voices) == (disliked, 6, pytest.approx(6, rel=1e-3))
    with clock.fixed(clock.now() + timedelta(days=90)):
        tasks.weigh_signals()
        assert AuthorStanding.objects.get().voices == pytest.approx(3, rel=1e-3)
    with clock.fixed(clock.now() + timedelta(days=500)):
        assert tasks.weigh_signals() == 0


@db
def test_strangers_are_recommended_the_author_less_and_are_told(viewer, friend, disliked, models, settings):
    settings.GROX_HOLD_UNSCREENED = False
    tasks.weigh_signals()
    reduced = AuthorStanding.objects.get().factor
    post = PostFactory(author=disliked)
    models.found = [post.pk]
    PostFactory(author=friend)
    page = services.for_you(viewer)
    receipt = services.receipt(viewer, page.request_id)
    by_author = {item["author_id"]: item["receipt"]["standing_factor"] for item in receipt["items"]}
    assert by_author == {str(disliked.pk): pytest.approx(reduced), str(friend.pk): 1.0}
    story = services.explain(viewer, page.request_id, post.pk).story
    assert any("turned away from this author" in line for chapter in story for line in chapter.sentences)
    assert services.replay(page.request_id).is_identical


@db
def test_whoever_follows_the_author_sees_them_as_before(viewer, disliked, models):
    accounts.follow(follower=viewer, followee=disliked)
    PostFactory(author=disliked)
    tasks.weigh_signals()
    page = services.for_you(viewer)
    (item,) = services.receipt(viewer, page.request_id)["items"]
    assert item["receipt"]["standing_factor"] == 1.0


@db
def test_people_see_their_signals_and_take_them_back(viewer):
    author = UserFactory(username="shouter")
    post = PostFactory(author=author, text="Hear me")
    posts.record_engagement(user=viewer, post_id=post.pk, kind=EngagementKind.NOT_INTERESTED)
    moderation.report(user=viewer, post=post, reason="violence")
    accounts.add_muted_keyword(user=viewer, phrase="drizzle")
    accounts.mute(muter=viewer, muted=author)
    found = {signal.kind: signal for signal in own.of_person(viewer).signals}
    assert found.keys() == {Kind.NOT_INTERESTED, Kind.REPORT, Kind.WORD, Kind.MUTE}
    assert (found[Kind.MUTE].weight, found[Kind.WORD].weight, found[Kind.REPORT].weight) == (100, None, None)
    assert found[Kind.NOT_INTERESTED].note == "Hear me"
    with clock.fixed(clock.now() + timedelta(days=14)):
        faded = {signal.kind: signal.weight for signal in own.of_person(viewer).signals}
        assert faded[Kind.NOT_INTERESTED] == 50
    with pytest.raises(NotFound):
        own.of_person(viewer, page=2)
    for kind in (Kind.REPORT, Kind.NOT_INTERESTED):
        pk = int(found[kind].withdraw.split("/")[-2])
        with pytest.raises(NotFound):
            own.withdraw(author, kind, pk)
        own.withdraw(viewer, kind, pk)
    assert {signal.kind for signal in own.of_person(viewer).signals} == {Kind.WORD, Kind.MUTE}
    assert not Engagement.objects.filter(user=viewer, kind__in=[EngagementKind.REPORT]).exists()


@db
def test_a_decided_report_stays(viewer):
    report = moderation.report(user=viewer, account=UserFactory(), reason="spam")
    report.state, report.decided_at = "upheld", clock.now()
    report.save()
    with pytest.raises(Conflict):
        own.withdraw(viewer, Kind.REPORT, report.pk)
    (signal,) = own.of_person(viewer).signals
    assert signal.withdraw == ""


@db
def test_the_settings_page_lists_and_takes_back(viewer, client):
    client.force_login(viewer)
    post = PostFactory(author=UserFactory(username="shouter"))
    posts.record_engagement(user=viewer, post_id=post.pk, kind=EngagementKind.NOT_INTERESTED)
    page = client.get("/settings/signals").content.decode()
    assert "@shouter" in page
    assert "weighs 100 %" in page
    pk = viewer.engagements.get().pk
    assert client.post(f"/settings/signals/not_interested/{pk}/withdraw").status_code == 302
    assert "Nothing so far" in client.get("/settings/signals").content.decode()
    assert client.get("/settings/signals?page=7").status_code == 404
