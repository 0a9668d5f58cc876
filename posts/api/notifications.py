"""News for the caller."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from posts import selectors, services
from posts.api.serializers import UNKNOWN_TO_CLIENTS, NotificationInputs, Rendering, notification_json
from xsocial.kernel.rest.inputs import validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires


class NotificationsView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(parameters=[PageInputs, NotificationInputs], responses=dict, tags=["notifications"])
    def get(self, request: Request) -> Response:
        cursor, values = cursor_of(request), validated(NotificationInputs, request)
        rows = selectors.notifications(
            request.user,
            cursor,
            kinds=sorted(_kinds(values["types"])),
            exclude_kinds=sorted(_kinds(values["exclude_types"]) | (UNKNOWN_TO_CLIENTS - set(values["types"]))),
        )
        rendering = Rendering.of([row.post for row in rows if row.post is not None], request)
        data = [notification_json(row, rendering) for row in rows]
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


def _kinds(names: list[str]) -> set[str]:
    return set(names) | ({"reply"} if "mention" in names else set())


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
