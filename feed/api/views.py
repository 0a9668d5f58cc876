"""Timelines: home (Following), public, tag, and For You with its receipts."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from posts import selectors
from posts.api.serializers import StatusSerializer
from posts.api.views import statuses_page
from posts.models import Post
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.pages import PageInputs, cursor_of
from xsocial.kernel.rest.scopes import requires


class TimelineView(APIView):
    """A page of posts strictly by time."""

    permission_classes = (requires(read="read:statuses", public=True),)

    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        raise NotImplementedError

    @extend_schema(parameters=[PageInputs], responses=StatusSerializer(many=True), tags=["timelines"])
    def get(self, request: Request, **parameters: str) -> Response:
        cursor = cursor_of(request)
        return statuses_page(request, self.posts(request, cursor, **parameters), cursor)


class HomeView(TimelineView):
    """Following: nothing injected."""

    permission_classes = (requires(read="read:statuses"),)

    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.home(request.user, cursor)


class PublicView(TimelineView):
    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.public_timeline(request.user, cursor)


class TagView(TimelineView):
    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.tag_timeline(request.user, parameters["name"], cursor)
