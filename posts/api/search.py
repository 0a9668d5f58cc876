"""Search, and the tags that are active."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer
from accounts.selectors import people
from posts import selectors
from posts.api.serializers import SearchInputs, origin_of, statuses_json, tag_json
from posts.models import Post
from xsocial.kernel import clock, ids
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.inputs import validated
from xsocial.kernel.rest.scopes import requires

TRENDS = 10


class TrendingTagsView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=dict, tags=["search"])
    def get(self, request: Request) -> Response:
        """What several people used in public in the last day."""
        today, origin = str(int(clock.now().timestamp()) // 86_400 * 86_400), origin_of(request)
        return Response(
            [
                tag_json(tag["name"], origin)
                | {"history": [{"day": today, "uses": str(tag["num_posts"]), "accounts": str(tag["num_authors"])}]}
                for tag in selectors.active_tags(limit=TRENDS)
            ]
        )


class SearchView(APIView):
    permission_classes = (requires(read="read:search", public=True),)

    @extend_schema(parameters=[SearchInputs], responses=dict, tags=["search"])
    def get(self, request: Request) -> Response:
        values = validated(SearchInputs, request)
        query, kind = values["q"].strip(), values.get("type")
        limit, offset = min(values["limit"], 40), values["offset"]
        result: dict[str, Any] = {"accounts": [], "statuses": [], "hashtags": []}
        if not query:
            return Response(result)
        if kind in (None, "accounts"):
            found = people.search_people(request.user, query.lstrip("@"), limit=limit, offset=offset)
            result["accounts"] = AccountSerializer(found, many=True, context={"request": request}).data
        if kind in (None, "statuses"):
            result["statuses"] = statuses_json(self._posts(request, query, limit), request)
        if kind in (None, "hashtags") and not offset:
            tags = selectors.search_tags(query, limit=limit)
            result["hashtags"] = [tag_json(tag.name, origin_of(request)) | {"history": []} for tag in tags]
        return Response(result)

    def _posts(self, request: Request, query: str, limit: int) -> list[Post]:
        """Posts by words, or the one whose address was given."""
        if not query.startswith(origin_of(request)):
            return selectors.search_posts(request.user, query, Cursor(limit=limit))
        named = ids.parsed(query.rstrip("/").rsplit("/", 1)[-1])
        return selectors.posts_by_id(request.user, [named]) if named else []
