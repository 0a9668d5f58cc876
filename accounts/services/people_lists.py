"""Making lists of people, and who is on them. Each function is one transaction and may be repeated safely."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts.models import Follow, ListMembership, PeopleList, User
from accounts.models.people_list import TITLE_MAX_LENGTH
from accounts.services.locks import lock_users
from accounts.types import RepliesPolicy
from xsocial.kernel.errors import Invalid, NotFound

MAX_LISTS = 50
_CHANGEABLE = frozenset({"title", "replies_policy", "is_exclusive"})


@transaction.atomic
def create_list(
    *, owner: User, title: str, replies_policy: str = RepliesPolicy.LIST, is_exclusive: bool = False
) -> PeopleList:
    """A new list with nobody on it. Raises Invalid for an empty title and for more than MAX_LISTS."""
    values = _checked({"title": title, "replies_policy": replies_policy, "is_exclusive": is_exclusive})
    lock_users({owner.pk})
    if PeopleList.objects.filter(owner=owner).count() >= MAX_LISTS:
        raise Invalid(f"You have {MAX_LISTS} lists, and there can be no more.", extra={"field": "title"})
    return PeopleList.objects.create(owner=owner, **values)


def change_list(*, people_list: PeopleList, **changes: Any) -> PeopleList:
    """Change title, replies_policy or is_exclusive; what is not named stays."""
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise Invalid(f"A list has no {', '.join(sorted(unknown))}.")
    for name, value in _checked(changes).items():
        setattr(people_list, name, value)
    people_list.save()
    return people_list


def delete_list(*, people_list: PeopleList) -> None:
    """Take a list away; its people stay followed."""
    people_list.delete()


@transaction.atomic
def add_to_list(*, people_list: PeopleList, user_ids: Iterable[int]) -> None:
    """Put people on a list, all or none. Raises NotFound if the owner does not follow one of them."""
    wanted = set(user_ids)
    follows = Follow.objects.select_for_update().filter(follower_id=people_list.owner_id, followee_id__in=wanted)
    found = list(follows.order_by("pk"))
    if len(found) < len(wanted):
        raise NotFound("Only people you follow can be on a list.")
    ListMembership.objects.bulk_create(
        [ListMembership(people_list=people_list, follow=follow) for follow in found], ignore_conflicts=True
    )


def remove_from_list(*, people_list: PeopleList, user_ids: Iterable[int]) -> None:
    """Take people off a list; who is not on it stays off."""
    ListMembership.objects.filter(people_list=people_list, follow__followee_id__in=set(user_ids)).delete()


@transaction.atomic
def choose_lists(*, owner: User, person: User, list_ids: Iterable[int]) -> None:
    """Have somebody on exactly these of the owner's lists. Raises NotFound as `add_to_list` does."""
    wanted = set(list_ids)
    for people_list in PeopleList.objects.filter(owner=owner):
        if people_list.pk in wanted:
            add_to_list(people_list=people_list, user_ids=[person.pk])
        else:
            remove_from_list(people_list=people_list, user_ids=[person.pk])


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    if "title" in values:
        title = " ".join(values["title"].replace("\x00", "").split())
        if not 0 < len(title) <= TITLE_MAX_LENGTH:
            raise Invalid(f"A list needs a name of 1 to {TITLE_MAX_LENGTH} characters.", extra={"field": "title"})
        values = values | {"title": title}
    if "replies_policy" in values and values["replies_policy"] not in set(RepliesPolicy):
        raise Invalid("Replies can be followed, list or none.", extra={"field": "replies_policy"})
    return values
