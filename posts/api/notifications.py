"""News for the caller, one by one and by what it is about."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer, timestamp
from posts import selectors, services
from posts.api.serializers import UNKNOWN_TO_CLIENTS, NotificationInputs, Rendering, notification_json, status_json
from posts.models import Notification
from xsocial.kernel.errors import NotFound
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.inputs import validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires

SAMPLE = 8  # people named beside a group


class NotificationsView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(
        operation_id="api_v1_notifications_list",
        parameters=[PageInputs, NotificationInputs],
        responses=dict,
        tags=["notifications"],
    )
    def get(self, request: Request) -> Response:
        cursor = cursor_of(request)
        rows = _page(request, cursor)
        rendering = _rendering(request, rows)
        data = [notification_json(row, rendering) for row in rows]
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


class NotificationView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(responses=dict, tags=["notifications"])
    def get(self, request: Request, pk: int) -> Response:
        (row,) = _group(request, f"ungrouped-{pk}")
        return Response(notification_json(row, _rendering(request, [row])))


class NotificationDismissView(APIView):
    permission_classes = (requires(write="write:notifications"),)

    @extend_schema(request=None, responses=dict, tags=["notifications"])
    def post(self, request: Request, pk: int) -> Response:
        services.clear_notifications(user=request.user, notification_id=pk)
        return Response({})


class NotificationsClearView(APIView):
    permission_classes = (requires(write="write:notifications"),)

    @extend_schema(request=None, responses=dict, tags=["notifications"])
    def post(self, request: Request) -> Response:
        services.clear_notifications(user=request.user)
        return Response({})


class NotificationsUnreadView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(responses=dict, tags=["notifications"])
    def get(self, request: Request) -> Response:
        return Response({"count": selectors.unread_count(request.user, exclude_kinds=sorted(UNKNOWN_TO_CLIENTS))})


class GroupedNotificationsView(APIView):
    """A page of news in which likes and reposts of one post, and follows, stand together."""

    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(
        operation_id="api_v2_notifications_list",
        parameters=[PageInputs, NotificationInputs],
        responses=dict,
        tags=["notifications"],
    )
    def get(self, request: Request) -> Response:
        cursor = cursor_of(request)
        rows = _page(request, cursor)
        return page_response(request, _grouped_json(request, rows), ids=[row.pk for row in rows], limit=cursor.limit)


class NotificationGroupView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(responses=dict, tags=["notifications"])
    def get(self, request: Request, key: str) -> Response:
        return Response(_grouped_json(request, _group(request, key)))


class NotificationGroupAccountsView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(parameters=[PageInputs], responses=AccountSerializer(many=True), tags=["notifications"])
    def get(self, request: Request, key: str) -> Response:
        cursor = cursor_of(request)
        rows = selectors.group(request.user, key, cursor)
        data = AccountSerializer([row.actor for row in rows], many=True, context={"request": request}).data
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


class NotificationGroupDismissView(APIView):
    permission_classes = (requires(write="write:notifications"),)

    @extend_schema(request=None, responses=dict, tags=["notifications"])
    def post(self, request: Request, key: str) -> Response:
        services.dismiss_notifications(user=request.user, key=key)
        return Response({})


class NotificationGroupsUnreadView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(responses=dict, tags=["notifications"])
    def get(self, request: Request) -> Response:
        return Response({"count": selectors.unread_groups(request.user, exclude_kinds=sorted(UNKNOWN_TO_CLIENTS))})


def _page(request: Request, cursor: Cursor) -> list[Notification]:
    values = validated(NotificationInputs, request)
    return selectors.notifications(
        request.user,
        cursor,
        kinds=sorted(_kinds(values["types"])),
        exclude_kinds=sorted(_kinds(values["exclude_types"]) | (UNKNOWN_TO_CLIENTS - set(values["types"]))),
    )


def _kinds(names: list[str]) -> set[str]:
    return set(names) | ({"reply"} if "mention" in names else set())


def _group(request: Request, key: str) -> list[Notification]:
    rows = selectors.group(request.user, key)
    if not rows:
        raise NotFound("Record not found")
    return rows


def _rendering(request: Request, rows: Sequence[Notification]) -> Rendering:
    return Rendering.of([row.post for row in rows if row.post is not None], request)


def _grouped_json(request: Request, rows: Sequence[Notification]) -> dict[str, Any]:
    """Groups, and beside them each person and post that they name once."""
    rendering = _rendering(request, rows)
    groups = selectors.grouped(rows)
    sizes = selectors.group_sizes(request.user, groups)
    people = {actor.pk: actor for group in groups for actor in group.actors[:SAMPLE]}
    posts = {group.latest.post.pk: group.latest.post for group in groups if group.latest.post}
    return {
        "accounts": [rendering.account(person) for person in people.values()],
        "statuses": [status_json(post, rendering) for post in posts.values()],
        "notification_groups": [_group_json(group, sizes[group.key]) for group in groups],
    }


def _group_json(group: selectors.NotificationGroup, size: int) -> dict[str, Any]:
    latest, oldest = group.latest, group.notifications[-1]
    data = {
        "group_key": group.key,
        "notifications_count": size,
        "type": "mention" if latest.kind == "reply" else latest.kind,
        "most_recent_notification_id": str(latest.pk),
        "page_min_id": str(oldest.pk),
        "page_max_id": str(latest.pk),
        "latest_page_notification_at": timestamp(latest.created_at),
        "sample_account_ids": [str(actor.pk) for actor in group.actors[:SAMPLE]],
    }
    return data | ({"status_id": str(latest.post.pk)} if latest.post else {})
