"""Where the caller's reading stands."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import timestamp
from posts import services
from posts.models import Marker
from posts.models.marker import MarkedTimeline
from xsocial.kernel.rest.inputs import Inputs, ScalarOrList, validated
from xsocial.kernel.rest.scopes import requires


class MarkersAskedInputs(Inputs):
    timeline = ScalarOrList(child=serializers.ChoiceField(MarkedTimeline.choices), required=False, default=list)


class ReadInputs(Inputs):
    last_read_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class MarkersInputs(Inputs):
    home = ReadInputs(required=False)
    notifications = ReadInputs(required=False)


class MarkersView(APIView):
    """Markers by timeline; those never set are missing."""

    permission_classes = (requires(read="read:statuses", write="write:statuses"),)

    @extend_schema(parameters=[MarkersAskedInputs], responses=dict, tags=["timelines"])
    def get(self, request: Request) -> Response:
        wanted = validated(MarkersAskedInputs, request)["timeline"]
        return Response(_json(Marker.objects.filter(user=request.user, timeline__in=wanted)))

    @extend_schema(request=MarkersInputs, responses=dict, tags=["timelines"])
    def post(self, request: Request) -> Response:
        values = validated(MarkersInputs, request)
        last_read = {timeline: read["last_read_id"] for timeline, read in values.items()}
        return Response(_json(services.mark_read(user=request.user, last_read=last_read)))


def _json(markers: Any) -> dict[str, Any]:
    return {
        marker.timeline: {
            "last_read_id": str(marker.last_read_id),
            "version": marker.version,
            "updated_at": timestamp(marker.updated_at),
        }
        for marker in markers
    }
