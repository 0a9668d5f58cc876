"""Lists of people. Each function answers for the owner: to everybody else a list does not exist."""

from collections.abc import Iterable

from django.db.models import Count, Q
from django.db.models.functions import Lower

from accounts.models import Follow, ListMembership, PeopleList, User
from accounts.selectors.people import PAGE, QUERY_MAX_LENGTH, reachable
from xsocial.kernel import ids
from xsocial.kernel.errors import NotFound
from xsocial.kernel.paging import Cursor, paged


def own_lists(user: User) -> list[PeopleList]:
    """A person's lists by title, each with `num_members`."""
    rows = PeopleList.objects.filter(owner=user).annotate(
        num_members=Count("memberships", filter=Q(memberships__follow__followee__in=reachable()))
    )
    return list(rows.order_by(Lower("title"), "pk"))


def lists_with(user: User, person: User) -> list[PeopleList]:
    """Those of a person's lists that somebody is on."""
    rows = PeopleList.objects.filter(owner=user, memberships__follow__followee=person)
    return list(rows.order_by(Lower("title"), "pk"))


def get_list(user_id: int, list_id: int | str) -> PeopleList:
    """A person's own list. Raises NotFound alike for none, somebody else's and a forged id."""
    found = PeopleList.objects.filter(owner_id=user_id, pk=ids.parsed(str(list_id))).first()
    if found is None:
        raise NotFound("There is no such list.")
    return found


def keeping_apart(person_id: int, user_ids: Iterable[int]) -> set[int]:
    """Those of these users who have somebody on a list that leaves its people out of Following."""
    rows = ListMembership.objects.filter(
        people_list__is_exclusive=True, people_list__owner__in=set(user_ids), follow__followee=person_id
    )
    return set(rows.values_list("people_list__owner_id", flat=True))


def list_members(people_list: PeopleList, cursor: Cursor | None = None) -> list[ListMembership]:
    """One page of memberships with `follow.followee` loaded, last added first; nobody who cannot be reached."""
    rows = ListMembership.objects.filter(people_list=people_list, follow__followee__in=reachable())
    return paged(rows.select_related("follow__followee"), cursor or Cursor(limit=PAGE))


def addable(people_list: PeopleList, query: str = "", *, limit: int = 20) -> list[User]:
    """Followed people who are not on the list: those whose names contain the text, the last followed first."""
    text = query.replace("\x00", "").strip().removeprefix("@")[:QUERY_MAX_LENGTH]
    follows = Follow.objects.filter(follower_id=people_list.owner_id, followee__in=reachable())
    follows = follows.exclude(list_memberships__people_list=people_list)
    if text:
        follows = follows.filter(Q(followee__username__icontains=text) | Q(followee__display_name__icontains=text))
    return [follow.followee for follow in follows.select_related("followee").order_by("-pk")[:limit]]
