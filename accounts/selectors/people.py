"""Finding people, lists of them, and how they stand to the viewer. Constant queries each."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from oauth2_provider.models import AbstractApplication, get_application_model

from accounts.models import Block, CreatorSubscription, Follow, FollowRequest, Mute, User
from accounts.types import Relationship
from xsocial.kernel import clock, ids, sql
from xsocial.kernel.errors import NotFound

Viewer: TypeAlias = User | AnonymousUser | None

PAGE = 40
QUERY_MAX_LENGTH = 100
#: How much of the graph suggestions look at: my newest follows, and the newest follows of each.
MAX_FOLLOWED = 500

# On the path of every profile and every button there.
_NAMED = f"""
SELECT {sql.columns(User, "u")} FROM accounts_user u
 WHERE upper(username) = upper(%(name)s::text) AND is_active AND suspended_at IS NULL AND deactivated_at IS NULL
"""


def reachable() -> QuerySet[User]:
    """Accounts that are shown at all."""
    return User.objects.filter(is_active=True, suspended_at__isnull=True, deactivated_at__isnull=True)


def erased(*, since: datetime) -> QuerySet[User]:
    """Accounts that were erased after a moment: nothing of theirs should be left."""
    return User.objects.filter(erased_at__gt=since)


def get_user(username: str) -> User:
    """The reachable account with this handle, in any case, or NotFound."""
    found = sql.row(_NAMED, {"name": username.removeprefix("@").replace("\x00", "")})
    if found is None:
        raise NotFound("There is no such account.")
    return sql.made(User, found)


def get_user_by_id(user_id: int | str) -> User:
    """The reachable account with this id, or NotFound; a forged id is just not found."""
    found = ids.parsed(str(user_id))
    user = reachable().filter(pk=found).first() if found is not None else None
    if user is None:
        raise NotFound("There is no such account.")
    return user


def apps(user: User) -> list[AbstractApplication]:
    """The apps that may act for this person, by name."""
    holds = Q(accesstoken__user=user) | Q(refreshtoken__user=user)
    return list(get_application_model().objects.filter(holds).distinct().order_by("name", "pk"))


def search_people(viewer: Viewer, query: str, *, limit: int = 20, offset: int = 0) -> list[User]:
    """Accounts whose handle or name contains the text: exact handles first, then the better known.

    Accounts on the other side of a block are left out, except one's own blocked under their exact
    handle: whoever blocked an account must be able to find it again.
    """
    text = query.replace("\x00", "").strip().removeprefix("@")[:QUERY_MAX_LENGTH]
    if not text:
        return []
    rank = Case(
        When(username__iexact=text, then=Value(0)),
        When(username__istartswith=text, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    people = reachable().filter(Q(username__icontains=text) | Q(display_name__icontains=text))
    mine = Block.objects.filter(blocker_id=viewer.pk if viewer else None).values("blocked_id")
    blocked_by_me = people.filter(username__iexact=text, pk__in=mine)
    found = (_without_blocks(viewer, people) | blocked_by_me).annotate(rank=rank)
    return list(found.order_by("rank", "-followers_count", "pk")[offset : offset + limit])


def relationships(viewer: User, user_ids: Iterable[int]) -> dict[int, Relationship]:
    """How the viewer stands to each of these accounts; an entry for every id, 6 queries in all."""
    wanted = set(user_ids)
    me, current = viewer.pk, Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    follows = {e.followee_id: e for e in Follow.objects.filter(follower_id=me, followee_id__in=wanted)}
    followers = _ends(Follow.objects.filter(followee_id=me, follower_id__in=wanted), "follower_id")
    blocks = Block.objects.filter(
        Q(blocker_id=me, blocked_id__in=wanted) | Q(blocked_id=me, blocker_id__in=wanted)
    ).values_list("blocker_id", "blocked_id")
    requests = FollowRequest.objects.filter(
        Q(requester_id=me, target_id__in=wanted) | Q(target_id=me, requester_id__in=wanted)
    ).values_list("requester_id", "target_id")
    mutes = dict(
        Mute.objects.filter(current, muter_id=me, muted_id__in=wanted).values_list("muted_id", "hides_notifications")
    )
    paid = _ends(CreatorSubscription.objects.filter(current, subscriber_id=me, author_id__in=wanted), "author_id")
    block_pairs, request_pairs = set(blocks), set(requests)
    return {
        user_id: Relationship(
            user_id=user_id,
            is_following=user_id in follows,
            shows_reposts=user_id in follows and follows[user_id].shows_reposts,
            notifies=user_id in follows and follows[user_id].notifies,
            is_followed_by=user_id in followers,
            is_blocking=(me, user_id) in block_pairs,
            is_blocked_by=(user_id, me) in block_pairs,
            is_muting=user_id in mutes,
            is_muting_notifications=mutes.get(user_id, False),
            is_requested=(me, user_id) in request_pairs,
            is_requested_by=(user_id, me) in request_pairs,
            is_subscribed=user_id in paid,
        )
        for user_id in wanted
    }


def relationship(viewer: User, user: User) -> Relationship:
    """How the viewer stands to one account."""
    return relationships(viewer, [user.pk])[user.pk]


def who_to_follow(user: User, *, limit: int = 3, exclude: Iterable[int] = ()) -> list[User]:
    """Accounts that many of the people I follow follow; then, to fill up, well-known ones.

    Each has `num_mutuals`, the number of people I follow who follow it (0 for the fill).
    """
    left_out = _not_to_suggest(user, exclude)
    mine = Follow.objects.filter(follower=user).order_by("-pk").values("followee_id")[:MAX_FOLLOWED]
    shared = Follow.objects.filter(follower_id__in=list(mine.values_list("followee_id", flat=True)))
    counted = shared.exclude(followee_id__in=left_out).values("followee_id").annotate(n=Count("pk"))
    # Some will turn out unreachable, so more than asked for are looked at.
    mutuals = dict(counted.order_by("-n", "followee_id").values_list("followee_id", "n")[: limit * 3])
    people = {person.pk: person for person in reachable().filter(pk__in=mutuals)}
    suggested = [people[pk] for pk in mutuals if pk in people][:limit]
    if len(suggested) < limit:
        known = reachable().exclude(pk__in={*left_out, *people}).order_by("-followers_count", "pk")
        suggested += known[: limit - len(suggested)]
    for person in suggested:
        person.num_mutuals = mutuals.get(person.pk, 0)
    return suggested


def followers(viewer: Viewer, user: User, *, max_id: int | None = None, limit: int = PAGE) -> list[Follow]:
    """One page of edges with `follower` loaded, newest first; `max_id` is an edge's id."""
    edges = Follow.objects.filter(followee=user, follower__in=_without_blocks(viewer, reachable()))
    return _page(edges.select_related("follower"), max_id, limit)


def following(viewer: Viewer, user: User, *, max_id: int | None = None, limit: int = PAGE) -> list[Follow]:
    """One page of edges with `followee` loaded, newest first; `max_id` is an edge's id."""
    edges = Follow.objects.filter(follower=user, followee__in=_without_blocks(viewer, reachable()))
    return _page(edges.select_related("followee"), max_id, limit)


def follow_requests(user: User, *, max_id: int | None = None, limit: int = PAGE) -> list[FollowRequest]:
    """Those who wait for this account's answer, with `requester` loaded."""
    waiting = FollowRequest.objects.filter(target=user, requester__in=reachable())
    return _page(waiting.select_related("requester"), max_id, limit)


def blocks(user: User, *, max_id: int | None = None, limit: int = PAGE) -> list[Block]:
    """Whom this account blocks, with `blocked` loaded."""
    return _page(Block.objects.filter(blocker=user).select_related("blocked"), max_id, limit)


def mutes(user: User, *, max_id: int | None = None, limit: int = PAGE) -> list[Mute]:
    """Whom this account mutes at present, with `muted` loaded."""
    current = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return _page(Mute.objects.filter(current, muter=user).select_related("muted"), max_id, limit)


def _page(rows: QuerySet, max_id: int | None, limit: int) -> list:
    if max_id is not None:
        rows = rows.filter(pk__lt=max_id)
    return list(rows.order_by("-pk")[:limit])


def _without_blocks(viewer: Viewer, people: QuerySet[User]) -> QuerySet[User]:
    if viewer is None or not viewer.is_authenticated:
        return people
    mine = Block.objects.filter(blocker_id=viewer.pk).values("blocked_id")
    theirs = Block.objects.filter(blocked_id=viewer.pk).values("blocker_id")
    return people.exclude(pk__in=mine).exclude(pk__in=theirs)


def _not_to_suggest(user: User, exclude: Iterable[int]) -> set[int]:
    """Oneself, everyone there is an edge to already, and those named."""
    known = Follow.objects.filter(follower=user).values_list("followee_id", flat=True)
    asked = FollowRequest.objects.filter(requester=user).values_list("target_id", flat=True)
    muted = Mute.objects.filter(muter=user).values_list("muted_id", flat=True)
    blocked = Block.objects.filter(blocker=user).values_list("blocked_id", flat=True)
    blockers = Block.objects.filter(blocked=user).values_list("blocker_id", flat=True)
    return {user.pk, *exclude, *known.union(asked, muted, blocked, blockers, all=True)}


def _ends(rows: QuerySet, column: str) -> set[int]:
    return set(rows.values_list(column, flat=True))
