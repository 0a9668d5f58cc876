"""Attachments, before and after they belong to a post."""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from posts import services
from posts.api.serializers import MediaEditInputs, MediaInputs, MediaSerializer, media_json
from posts.models import Media
from xsocial.kernel.errors import NotFound
from xsocial.kernel.rest.inputs import object_id, validated
from xsocial.kernel.rest.scopes import requires


def own_media(owner: User, ids: list[int]) -> list[Media]:
    """The caller's attachments in the given order; NotFound for any other."""
    found = Media.objects.filter(owner=owner, pk__in=ids).in_bulk()
    if missing := [str(pk) for pk in ids if pk not in found]:
        raise NotFound("Media not found", extra={"media_ids": missing})
    return [found[pk] for pk in ids]


class MediaUploadView(APIView):
    permission_classes = (requires(write="write:media"),)
    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(request=MediaInputs, responses=MediaSerializer, tags=["media"])
    def post(self, request: Request) -> Response:
        values = validated(MediaInputs, request)
        media = services.upload_media(owner=request.user, file=values["file"], alt_text=values["description"])
        return Response(media_json(media, request))


class MediaView(APIView):
    permission_classes = (requires(read="read:media", write="write:media"),)

    @extend_schema(responses=MediaSerializer, tags=["media"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(media_json(own_media(request.user, [object_id(pk)])[0], request))

    @extend_schema(request=MediaEditInputs, responses=MediaSerializer, tags=["media"])
    def put(self, request: Request, pk: str) -> Response:
        media = own_media(request.user, [object_id(pk)])[0]
        values = validated(MediaEditInputs, request)
        media = services.describe_media(owner=request.user, media=media, alt_text=values["description"])
        return Response(media_json(media, request))
