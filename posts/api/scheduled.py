"""Posts for later."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from posts import selectors, services
from posts.api.serializers import ScheduledInputs, scheduled_json
from xsocial.kernel.rest.inputs import object_id, validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires


class ScheduledStatusesView(APIView):
    """The caller's posts for later."""

    permission_classes = (requires(read="read:statuses"),)

    @extend_schema(operation_id="scheduled_statuses", parameters=[PageInputs], responses=dict, tags=["statuses"])
    def get(self, request: Request) -> Response:
        cursor = cursor_of(request)
        rows = selectors.scheduled_posts(request.user, cursor)
        data = [scheduled_json(row, request) for row in rows]
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


class ScheduledStatusView(APIView):
    permission_classes = (requires(read="read:statuses", write="write:statuses"),)

    @extend_schema(responses=dict, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(scheduled_json(selectors.scheduled_post(request.user, object_id(pk)), request))

    @extend_schema(request=ScheduledInputs, responses=dict, tags=["statuses"])
    def put(self, request: Request, pk: str) -> Response:
        values = validated(ScheduledInputs, request)
        row = services.change_scheduled(owner=request.user, scheduled_id=object_id(pk), at=values["scheduled_at"])
        return Response(scheduled_json(row, request))

    @extend_schema(responses=dict, tags=["statuses"])
    def delete(self, request: Request, pk: str) -> Response:
        services.cancel_scheduled(owner=request.user, scheduled_id=object_id(pk))
        return Response({})
