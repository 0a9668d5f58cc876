"""What ranks the feed, and the log of its changes: public, and made to be checked."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feed import disclosure
from feed.models import WeightChange
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires


class WeighingSerializer(serializers.Serializer):
    head = serializers.CharField(help_text="The predicted action.")
    weight = serializers.FloatField()
    published = serializers.FloatField()


class SettingSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.JSONField()
    published = serializers.JSONField()
    source = serializers.CharField(help_text="Where the default comes from.")
    because = serializers.CharField(help_text="Why the value is not the published one.")


class ModelSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="ranker or retrieval")
    name = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField()
    quality = serializers.FloatField(
        allow_null=True, help_text="NDCG@10 of a ranker, recall@500 of retrieval, on page loads it never saw."
    )


class RankingSerializer(serializers.Serializer):
    build = serializers.CharField()
    profile = serializers.CharField()
    weight_set = serializers.IntegerField(help_text="0 is the published one.")
    weights = WeighingSerializer(many=True)
    parameters = SettingSerializer(many=True)
    models = ModelSerializer(many=True)


class ChangeSerializer(serializers.ModelSerializer):
    """One line of the log. `digest` is the SHA-256 of `text`, which names the digest of the line before."""

    id = serializers.CharField()
    actor = serializers.SerializerMethodField(
        help_text="Name of who did it; empty for the command line, and for an account that is gone."
    )
    weight_set = serializers.IntegerField(source="weight_set_id", allow_null=True)
    value = serializers.JSONField(allow_null=True)
    text = serializers.CharField()

    class Meta:
        model = WeightChange
        fields = ("id", "created_at", "weight_set", "parameter", "value", "actor", "reason", "text", "digest")

    def get_actor(self, change: WeightChange) -> str:
        return change.actor.username if change.actor else ""


class RankingView(APIView):
    """Weights, parameters and models of the next page load."""

    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=RankingSerializer, tags=["timelines"])
    def get(self, request: Request) -> Response:
        return Response(RankingSerializer(disclosure.in_force()).data)


class ChangesView(APIView):
    """Every change of weights and parameters, newest first: each line's digest covers the line before."""

    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(parameters=[PageInputs], responses=ChangeSerializer(many=True), tags=["timelines"])
    def get(self, request: Request) -> Response:
        cursor = cursor_of(request)
        changes = disclosure.changes(cursor)
        data: Any = ChangeSerializer(changes, many=True).data
        return page_response(request, data, ids=[change.pk for change in changes], limit=cursor.limit)
