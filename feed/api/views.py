"""Timelines: home (Following), public, tag, list, and For You with its receipts."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer
from accounts.models import User
from accounts.selectors import get_list
from feed import services
from feed.similar import similar_posts
from feed.types import FeedItem, FeedRequest
from posts import selectors
from posts.api.serializers import StatusSerializer, statuses_json
from posts.api.views import statuses_page
from posts.models import Post
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.inputs import IdList, Inputs, object_id, validated
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
        return services.following(request.user, cursor=cursor)


class PublicView(TimelineView):
    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.public_timeline(request.user, cursor)


class TagView(TimelineView):
    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.tag_timeline(request.user, parameters["name"], cursor)


class ListTimelineView(TimelineView):
    """What the people on one of the caller's lists wrote and passed on."""

    permission_classes = (requires(read="read:lists"),)

    def posts(self, request: Request, cursor: Cursor, **parameters: str) -> list[Post]:
        return selectors.list_timeline(request.user, get_list(request.user.pk, parameters["pk"]), cursor)


class ForYouInputs(Inputs):
    """What a client may say with its request; see `feed.types.FeedRequest`."""

    cursor = serializers.CharField(required=False, allow_blank=True, default="", max_length=8000)
    context = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    seen_ids = IdList(required=False, default=list, max_length=1000)
    push_to_home_post_id = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=2**63 - 1, help_text="A post to put first, if one may see it."
    )
    topic_ids = IdList(required=False, default=list, max_length=100)
    excluded_topic_ids = IdList(required=False, default=list, max_length=100)
    in_network_only = serializers.BooleanField(required=False, default=False)
    exclude_videos = serializers.BooleanField(required=False, default=False)
    is_polling = serializers.BooleanField(required=False, default=False)
    is_preview = serializers.BooleanField(required=False, default=False)


class ForYouItemSerializer(serializers.Serializer):
    position = serializers.IntegerField()
    kind = serializers.CharField(help_text="post, ad, who_to_follow, prompt or push_to_home")
    score = serializers.FloatField()
    source = serializers.CharField()
    in_network = serializers.BooleanField()
    notice = serializers.CharField(help_text="What covers the post; empty for nothing.")
    status = StatusSerializer(allow_null=True)
    ad = serializers.DictField(allow_null=True)
    accounts = AccountSerializer(many=True, help_text="Whom to follow; beside a post, people who answered it.")
    prompt = serializers.DictField(allow_null=True)


class ForYouSerializer(serializers.Serializer):
    request_id = serializers.CharField()
    model = serializers.CharField(help_text="Empty while the page is in order of time.")
    weight_set = serializers.IntegerField()
    is_tuned = serializers.BooleanField(help_text="Whether the caller's own tuning counted.")
    build = serializers.CharField()
    degraded = serializers.ListField(child=serializers.CharField())
    dropped = serializers.DictField(child=serializers.IntegerField())
    next_cursor = serializers.CharField(help_text="Asks for what follows; empty at the end.")
    previous_cursor = serializers.CharField(help_text="Asks for what is newer: pull to refresh.")
    items = ForYouItemSerializer(many=True)


class ForYouView(APIView):
    """The ranked page, with what made it. POST carries long lists of seen ids."""

    permission_classes = (requires(read="read:statuses", write="read:statuses"),)

    @extend_schema(parameters=[ForYouInputs], responses=ForYouSerializer, tags=["timelines"])
    def get(self, request: Request) -> Response:
        return self._page(request)

    @extend_schema(request=ForYouInputs, responses=ForYouSerializer, tags=["timelines"])
    def post(self, request: Request) -> Response:
        return self._page(request)

    def _page(self, request: Request) -> Response:
        values = validated(ForYouInputs, request)
        lists = {name: tuple(values.pop(name)) for name in ("seen_ids", "topic_ids", "excluded_topic_ids")}
        address = request.META.get("REMOTE_ADDR", "")
        page = services.for_you(
            request.user, request=FeedRequest(platform="api", ip_address=address, **lists, **values)
        )
        return Response(
            {
                "request_id": str(page.request_id),
                "model": page.model,
                "weight_set": page.weight_set,
                "is_tuned": page.is_tuned,
                "build": page.build,
                "degraded": list(page.degraded),
                "dropped": dict(page.dropped),
                "next_cursor": page.cursor,
                "previous_cursor": page.top_cursor,
                "items": items_json(page.items, request),
            }
        )


class SimilarView(APIView):
    """Public posts near one in content, nearest first."""

    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=StatusSerializer(many=True), tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        post = selectors.get_visible_post(request.user, pk)
        return Response(statuses_json(similar_posts(request.user, post), request))


class ReceiptView(APIView):
    """The stored record of one of the caller's own pages."""

    permission_classes = (requires(read="read:statuses"),)

    @extend_schema(responses=dict, tags=["timelines"])
    def get(self, request: Request, request_id: str) -> Response:
        return Response(services.receipt(request.user, object_id(request_id)))


def items_json(items: Sequence[FeedItem], request: Request) -> list[dict[str, Any]]:
    """Feed items with their statuses and accounts; posts deleted meanwhile are left out."""
    ids = [item.wrapper_id or item.post_id for item in items if item.post_id]
    statuses = {int(s["id"]): s for s in statuses_json(selectors.posts_by_id(request.user, ids), request)}
    people = User.objects.in_bulk({pk for item in items for pk in item.people})
    accounts = AccountSerializer(context={"request": request})
    return [
        {
            "position": item.position,
            "kind": item.kind,
            "score": item.score,
            "source": item.source,
            "in_network": item.in_network,
            "notice": item.notice,
            "status": statuses.get(item.wrapper_id or item.post_id),
            "ad": _ad(item.ad),
            "accounts": [accounts.to_representation(people[pk]) for pk in item.people if pk in people],
            "prompt": {"title": item.prompt.title, "text": item.prompt.text} if item.prompt else None,
        }
        for item in items
        if item.kind != "post" or (item.wrapper_id or item.post_id) in statuses
    ]


def _ad(ad: Any) -> dict[str, Any] | None:
    """What a viewer may know of an ad, and the token that its events carry."""
    if ad is None:
        return None
    shown = ("advertiser_name", "headline", "text", "url", "image_url", "token")
    return {name: getattr(ad, name) for name in shown} | {"why": list(ad.why)}
