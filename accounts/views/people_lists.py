"""Lists of people: making them, and who is on them. What they wrote is a page of posts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import selectors, services
from accounts.forms import ListForm, NewListForm
from accounts.models import PeopleList
from xsocial.kernel.errors import ApplicationError, Invalid
from xsocial.kernel.pages import PageRequest, action, add_errors, done, parse_id, signed_in
from xsocial.kernel.paging import Cursor

PAGE = 40


@signed_in
def lists(request: PageRequest) -> HttpResponse:
    """One's lists, and the way to a new one."""
    form = NewListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_list(owner=request.user, **form.cleaned_data)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return redirect("people:list_people", made.pk)
    return _form(request, "accounts/lists.html", form, lists=selectors.own_lists(request.user))


@signed_in
def edit(request: PageRequest, list_id: int) -> HttpResponse:
    """Its name, which replies it shows, whether it keeps its people to itself."""
    people_list = selectors.get_list(request.user.pk, list_id)
    form = ListForm(request.POST or None, initial=ListForm.initial_of(people_list))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_list(people_list=people_list, **form.cleaned_data)
        except ApplicationError as error:
            add_errors(form, error)
        else:
            return done(request, words="Saved", default_next=f"/lists/{list_id}")
    return _form(request, "accounts/list_edit.html", form, people_list=people_list)


@action
def delete(request: PageRequest, list_id: int) -> HttpResponse:
    people_list = selectors.get_list(request.user.pk, list_id)
    services.delete_list(people_list=people_list)
    return done(request, words=f"“{people_list.title}” is deleted.", default_next="/lists")


@signed_in
def people(request: PageRequest, list_id: int) -> HttpResponse:
    """Who is on it, and whom one follows to put there."""
    people_list = selectors.get_list(request.user.pk, list_id)
    query = request.GET.get("q", "").strip()
    members = selectors.list_members(people_list, Cursor(parse_id(request.GET.get("max_id")), limit=PAGE))
    context = {
        "people_list": people_list,
        "members": [row.follow.followee for row in members],
        "older": members[-1].pk if len(members) == PAGE else None,
        "query": query,
        "addable": selectors.addable(people_list, query),
    }
    return render(request, "accounts/list_people.html", context)


@action
def put(request: PageRequest, list_id: int, username: str) -> HttpResponse:
    """Put somebody on a list."""
    people_list, person = selectors.get_list(request.user.pk, list_id), selectors.get_user(username)
    services.add_to_list(people_list=people_list, user_ids=[person.pk])
    return done(request, words=f"@{person.username} is on the list.", default_next=f"/lists/{list_id}/people")


@action
def take_off(request: PageRequest, list_id: int, username: str) -> HttpResponse:
    people_list, person = selectors.get_list(request.user.pk, list_id), selectors.get_user(username)
    services.remove_from_list(people_list=people_list, user_ids=[person.pk])
    return done(request, words=f"@{person.username} is off the list.", default_next=f"/lists/{list_id}/people")


@signed_in
def lists_of(request: PageRequest, username: str) -> HttpResponse:
    """On which of one's lists somebody is, as a page or a sheet."""
    person = selectors.get_user(username)
    if request.method == "POST":
        services.choose_lists(owner=request.user, person=person, list_ids=_chosen(request))
        return done(request, words="Saved", default_next=f"/@{person.username}")
    on = {row.pk for row in selectors.lists_with(request.user, person)}
    context = {
        "person": person,
        "title": f"Lists with {person.name}",
        "back": f"/@{person.username}",
        "lists": [(row, row.pk in on) for row in selectors.own_lists(request.user)],
    }
    return render(request, "accounts/_lists_of.html" if request.htmx else "accounts/lists_of.html", context)


def _chosen(request: PageRequest) -> list[int]:
    numbers = [parse_id(value) for value in request.POST.getlist("lists")]
    if None in numbers:
        raise Invalid("This list has no number.")
    return [number for number in numbers if number]


def _form(request: PageRequest, template: str, form: Any, **context: PeopleList | list[PeopleList]) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
