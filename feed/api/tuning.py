"""The caller's own tuning of For You, and what another would do to their last page."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feed import services, tuning
from feed.home_mixer.tuning import GROUPS, Tuning
from xsocial.kernel.rest.inputs import Inputs, validated
from xsocial.kernel.rest.scopes import requires


class Multiplier(serializers.FloatField):
    """A number; `true` is none, though Python counts it as 1."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class TuningInputs(Inputs):
    multipliers = serializers.DictField(
        child=Multiplier(), help_text="By group; a group left out counts as the site has it."
    )


class ChoiceSerializer(serializers.Serializer):
    """A group of predicted actions that are tuned together."""

    group = serializers.CharField()
    label = serializers.CharField()
    about = serializers.CharField()
    steps = serializers.ListField(child=serializers.FloatField(), help_text="The multipliers it can have.")


class OwnWeighingSerializer(serializers.Serializer):
    head = serializers.CharField(help_text="The predicted action.")
    site = serializers.FloatField(help_text="What it counts for on this site.")
    own = serializers.FloatField(help_text="What it counts for as tuned.")


class TuningSerializer(serializers.Serializer):
    is_on = serializers.BooleanField(help_text="Whether the operators let tunings count.")
    format = serializers.CharField(help_text="Marks a file that the site reads.")
    multipliers = serializers.DictField(child=serializers.FloatField())
    strangers_factor = serializers.FloatField(help_text="What a post by somebody not followed is multiplied by.")
    weights = OwnWeighingSerializer(many=True)
    choices = ChoiceSerializer(many=True)


class TunedPostSerializer(serializers.Serializer):
    id = serializers.CharField()
    was = serializers.IntegerField(allow_null=True, help_text="Place among the page's posts; null: not on it.")
    now = serializers.IntegerField(allow_null=True)
    change = serializers.ChoiceField(("up", "down", "same", "new", "gone"))


class TuningPreviewSerializer(serializers.Serializer):
    request_id = serializers.CharField(help_text="The page that was put in another order.")
    served_at = serializers.DateTimeField()
    posts = TunedPostSerializer(many=True, help_text="In their new order; those that leave the page come last.")


class TuningView(APIView):
    """The caller's multipliers, and the weights that follow from them."""

    permission_classes = (requires(read="read:accounts", write="write:accounts"),)

    @extend_schema(responses=TuningSerializer, tags=["timelines"])
    def get(self, request: Request) -> Response:
        return Response(_json(tuning.of(request.user)))

    @extend_schema(request=TuningInputs, responses=TuningSerializer, tags=["timelines"])
    def put(self, request: Request) -> Response:
        return Response(_json(tuning.save(request.user, validated(TuningInputs, request)["multipliers"])))

    @extend_schema(responses=dict, tags=["timelines"])
    def delete(self, request: Request) -> Response:
        tuning.reset(request.user)
        return Response({})


class TuningPreviewView(APIView):
    """The caller's last page of For You as other multipliers would have ordered it; nothing is kept."""

    permission_classes = (requires(write="read:statuses"),)

    @extend_schema(request=TuningInputs, responses=TuningPreviewSerializer, tags=["timelines"])
    def post(self, request: Request) -> Response:
        tried = tuning.checked(validated(TuningInputs, request)["multipliers"])
        found = services.preview_tuning(request.user, tried)
        posts = [{"id": line.post_id, "was": line.was, "now": line.now, "change": line.change} for line in found.lines]
        data = {"request_id": found.request_id, "served_at": found.served_at, "posts": posts}
        return Response(TuningPreviewSerializer(data).data)


def _json(own: Tuning) -> dict[str, Any]:
    return {
        "is_on": tuning.is_on(),
        **tuning.document(own),
        "strangers_factor": tuning.strangers_factor(own),
        "weights": [{"head": row.head, "site": row.site, "own": row.own} for row in tuning.weighings(own)],
        "choices": [
            {"group": group.name, "label": group.label, "about": group.about, "steps": list(group.steps)}
            for group in GROUPS
        ],
    }
