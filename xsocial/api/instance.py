"""What this server is and allows, in the dialect's two versions, and NodeInfo."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from posts.models import Post
from posts.services import video
from posts.types import (
    MAX_MEDIA_PER_POST,
    POLL_LONGEST,
    POLL_MAX_OPTIONS,
    POLL_OPTION_MAX_LENGTH,
    POLL_SHORTEST,
    POST_MAX_LENGTH,
)
from xsocial.kernel import clock, images

TITLE = "xsocial"
DESCRIPTION = "A social platform whose feed anyone can read, run, replay and retune."
#: Clients parse this as x.y.z and switch features by it; the suffix names what we are.
COMPATIBLE_VERSION = "4.5.0+xsocial"
IMAGE_TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"]
VIDEO_TYPES = ["video/mp4", "video/webm"]


def _streaming(origin: str) -> str:
    """Where streams are: the same place, by the websocket's scheme."""
    return origin.replace("http", "ws", 1)


def _configuration(origin: str) -> dict[str, Any]:
    return {
        "urls": {"streaming": _streaming(origin), "status": None},
        "accounts": {"max_featured_tags": 0},
        "statuses": {
            "max_characters": POST_MAX_LENGTH,
            "max_media_attachments": MAX_MEDIA_PER_POST,
            "characters_reserved_per_url": 23,
        },
        "media_attachments": {
            "supported_mime_types": IMAGE_TYPES + VIDEO_TYPES,
            "image_size_limit": images.MAX_BYTES,
            "image_matrix_limit": images.MAX_PIXELS,
            "video_size_limit": video.MAX_BYTES,
            "video_frame_rate_limit": video.MAX_FRAME_RATE,
            "video_matrix_limit": video.MAX_SIDE**2,
        },
        "polls": {
            "max_options": POLL_MAX_OPTIONS,
            "max_characters_per_option": POLL_OPTION_MAX_LENGTH,
            "min_expiration": POLL_SHORTEST,
            "max_expiration": POLL_LONGEST,
        },
        "translation": {"enabled": False},
    }


def _people_count() -> int:
    return User.objects.filter(is_active=True).count()


def _active_count() -> int:
    """Who signed in within the last month."""
    return User.objects.filter(is_active=True, last_login__gte=clock.now() - timedelta(days=30)).count()


class NothingView(APIView):
    """What clients ask every server for and this one has none of, such as emoji of its own."""

    permission_classes = (AllowAny,)

    @extend_schema(responses=dict, tags=["instance"])
    def get(self, request: Request) -> Response:
        return Response([])


class StreamingHealthView(APIView):
    """Says that streams are served. They themselves are beside Django, see `feed.streaming`."""

    permission_classes = (AllowAny,)

    @extend_schema(responses={(200, "text/plain"): str}, tags=["streaming"])
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse("OK", content_type="text/plain")


class InstanceV1View(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="instance_v1", responses=dict, tags=["instance"])
    def get(self, request: Request) -> Response:
        origin = request.build_absolute_uri("/").rstrip("/")
        return Response(
            {
                "uri": request.get_host(),
                "title": TITLE,
                "short_description": DESCRIPTION,
                "description": DESCRIPTION,
                "email": "",
                "version": COMPATIBLE_VERSION,
                "urls": {"streaming_api": _streaming(origin)},
                "stats": {
                    "user_count": _people_count(),
                    "status_count": Post.objects.filter(deleted_at=None).count(),
                    "domain_count": 1,
                },
                "thumbnail": None,
                "languages": ["en"],
                "registrations": True,
                "approval_required": False,
                "invites_enabled": False,
                "configuration": _configuration(origin),
                "contact_account": None,
                "rules": [],
            }
        )


class InstanceV2View(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="instance_v2", responses=dict, tags=["instance"])
    def get(self, request: Request) -> Response:
        origin = request.build_absolute_uri("/").rstrip("/")
        return Response(
            {
                "domain": request.get_host(),
                "title": TITLE,
                "version": COMPATIBLE_VERSION,
                "source_url": "",
                "description": DESCRIPTION,
                "usage": {"users": {"active_month": _active_count()}},
                "thumbnail": {"url": f"{origin}/static/img/mark.svg"},
                "languages": ["en"],
                "configuration": _configuration(origin),
                "registrations": {"enabled": True, "approval_required": False, "message": None},
                "api_versions": {"mastodon": 6},
                "contact": {"email": "", "account": None},
                "rules": [],
            }
        )


def nodeinfo_index(request: HttpRequest) -> JsonResponse:
    href = request.build_absolute_uri("/nodeinfo/2.0")
    return JsonResponse({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": href}]})


def nodeinfo(request: HttpRequest) -> JsonResponse:
    """NodeInfo 2.0; `metadata.upstream` tells client libraries which driver to pick."""
    return JsonResponse(
        {
            "version": "2.0",
            "software": {"name": "xsocial", "version": "0.1.0"},
            "protocols": [],
            "services": {"inbound": [], "outbound": []},
            "openRegistrations": True,
            "usage": {"users": {"total": _people_count()}},
            "metadata": {"upstream": {"name": "mastodon"}},
        }
    )
