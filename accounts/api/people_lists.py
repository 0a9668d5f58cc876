"""Lists of people, as Mastodon clients keep them. A list exists for its owner alone."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors, services
from accounts.api.serializers import AccountSerializer
from accounts.models import PeopleList
from accounts.models.people_list import REPLIES_POLICIES, TITLE_MAX_LENGTH
from xsocial.kernel.rest.inputs import IdList, Inputs, validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires

MAX_AT_ONCE = 500
# What Mastodon's clients say for "all of them".
EVERYBODY = "0"


class ListSerializer(serializers.ModelSerializer):
    id = serializers.CharField()
    exclusive = serializers.BooleanField(source="is_exclusive")

    class Meta:
        model = PeopleList
        fields = ["id", "title", "replies_policy", "exclusive"]


class ListInputs(Inputs):
    title = serializers.CharField(max_length=TITLE_MAX_LENGTH)
    replies_policy = serializers.ChoiceField(choices=REPLIES_POLICIES, required=False)
    exclusive = serializers.BooleanField(required=False, help_text="Leave its people out of the home timeline.")


class ListChangeInputs(ListInputs):
    title = serializers.CharField(max_length=TITLE_MAX_LENGTH, required=False)


class ListAccountsInputs(Inputs):
    account_ids = IdList(min_length=1, max_length=MAX_AT_ONCE)


def _values(kind: type[Inputs], request: Request) -> dict[str, Any]:
    values = validated(kind, request)
    if "exclusive" in values:
        values["is_exclusive"] = values.pop("exclusive")
    return values


class ListsView(APIView):
    permission_classes = (requires(read="read:lists", write="write:lists"),)

    @extend_schema(operation_id="lists", responses=ListSerializer(many=True), tags=["lists"])
    def get(self, request: Request) -> Response:
        return Response(ListSerializer(selectors.own_lists(request.user), many=True).data)

    @extend_schema(request=ListInputs, responses=ListSerializer, tags=["lists"])
    def post(self, request: Request) -> Response:
        made = services.create_list(owner=request.user, **_values(ListInputs, request))
        return Response(ListSerializer(made).data)


class ListView(APIView):
    permission_classes = (requires(read="read:lists", write="write:lists"),)

    @extend_schema(responses=ListSerializer, tags=["lists"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(ListSerializer(selectors.get_list(request.user.pk, pk)).data)

    @extend_schema(request=ListChangeInputs, responses=ListSerializer, tags=["lists"])
    def put(self, request: Request, pk: str) -> Response:
        found = selectors.get_list(request.user.pk, pk)
        changed = services.change_list(people_list=found, **_values(ListChangeInputs, request))
        return Response(ListSerializer(changed).data)

    @extend_schema(responses=dict, tags=["lists"])
    def delete(self, request: Request, pk: str) -> Response:
        services.delete_list(people_list=selectors.get_list(request.user.pk, pk))
        return Response({})


class ListAccountsView(APIView):
    permission_classes = (requires(read="read:lists", write="write:lists"),)

    @extend_schema(parameters=[PageInputs], responses=AccountSerializer(many=True), tags=["lists"])
    def get(self, request: Request, pk: str) -> Response:
        """Who is on it, last added first; with `limit=0` everybody, up to 500."""
        cursor = cursor_of(request)
        if request.query_params.get("limit") == EVERYBODY:
            cursor = replace(cursor, limit=MAX_AT_ONCE)
        rows = selectors.list_members(selectors.get_list(request.user.pk, pk), cursor)
        people = [row.follow.followee for row in rows]
        data = AccountSerializer(people, many=True, context={"request": request}).data
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)

    @extend_schema(request=ListAccountsInputs, responses=dict, tags=["lists"])
    def post(self, request: Request, pk: str) -> Response:
        found = selectors.get_list(request.user.pk, pk)
        services.add_to_list(people_list=found, user_ids=validated(ListAccountsInputs, request)["account_ids"])
        return Response({})

    @extend_schema(parameters=[ListAccountsInputs], responses=dict, tags=["lists"])
    def delete(self, request: Request, pk: str) -> Response:
        found = selectors.get_list(request.user.pk, pk)
        services.remove_from_list(people_list=found, user_ids=validated(ListAccountsInputs, request)["account_ids"])
        return Response({})


class AccountListsView(APIView):
    permission_classes = (requires(read="read:lists"),)

    @extend_schema(operation_id="accounts_lists", responses=ListSerializer(many=True), tags=["lists"])
    def get(self, request: Request, pk: str) -> Response:
        """Those of the caller's lists that an account is on."""
        person = selectors.get_user_by_id(pk)
        return Response(ListSerializer(selectors.lists_with(request.user, person), many=True).data)
