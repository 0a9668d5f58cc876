"""Polls, which go by the ids of their posts."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from posts import selectors, services
from posts.api.serializers import Rendering, VoteInputs, poll_json
from xsocial.kernel.errors import NotFound
from xsocial.kernel.rest.inputs import object_id, validated
from xsocial.kernel.rest.scopes import requires


class PollView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=dict, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(_poll(request, object_id(pk)))


class PollVotesView(APIView):
    permission_classes = (requires(write="write:statuses"),)

    @extend_schema(request=VoteInputs, responses=dict, tags=["statuses"])
    def post(self, request: Request, pk: str) -> Response:
        choices = validated(VoteInputs, request)["choices"]
        services.vote(voter=request.user, post_id=object_id(pk), choices=choices)
        return Response(_poll(request, object_id(pk)))


def _poll(request: Request, pk: int) -> dict[str, Any]:
    post = selectors.get_visible_post(request.user, pk)
    rendering = Rendering.of([post], request)
    if post.pk not in rendering.polls:
        raise NotFound("Record not found")
    return poll_json(rendering.polls[post.pk], rendering)
