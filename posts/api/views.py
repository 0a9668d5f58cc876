"""Statuses, media, notifications and search."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer, timestamp
from accounts.models import User
from accounts.selectors import people
from posts import selectors, services
from posts.api.serializers import (
    MediaEditInputs,
    MediaInputs,
    MediaSerializer,
    NotificationInputs,
    Rendering,
    ScheduledInputs,
    SearchInputs,
    StatusEditInputs,
    StatusInputs,
    StatusSerializer,
    VoteInputs,
    media_json,
    notification_json,
    origin_of,
    poll_json,
    scheduled_json,
    status_json,
    statuses_json,
    tag_json,
)
from posts.models import Media, Post, PostEdit
from posts.types import Surface
from xsocial.kernel import clock, ids, richtext
from xsocial.kernel.errors import NotFound
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.inputs import object_id, validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires

TRENDS = 10


def one_status(request: Request, pk: int) -> dict[str, Any]:
    """The status as its caller sees it, or NotFound."""
    posts = selectors.posts_by_id(request.user, [pk])
    if not posts:
        raise NotFound("Record not found")
    return statuses_json(posts, request)[0]


def visible_post(request: Request, pk: str | int) -> Post:
    return selectors.get_visible_post(request.user, pk)


def statuses_page(request: Request, posts: list[Post], cursor: Cursor) -> Response:
    """A page of detailed posts that goes by their own ids."""
    data = statuses_json(posts, request)
    return page_response(request, data, ids=[post.pk for post in posts], limit=cursor.limit)


class StatusesView(APIView):
    permission_classes = (requires(read="read:statuses", write="write:statuses"),)

    @extend_schema(request=StatusInputs, responses=StatusSerializer, tags=["statuses"])
    def post(self, request: Request) -> Response:
        values = validated(StatusInputs, request)
        viewer = request.user
        parent = visible_post(request, values["in_reply_to_id"]) if "in_reply_to_id" in values else None
        quoted = visible_post(request, values["quoted_status_id"]) if "quoted_status_id" in values else None
        content = {
            "author": viewer,
            "text": values["status"],
            "in_reply_to": parent,
            "quote_of": quoted,
            "media": own_media(viewer, values["media_ids"]),
            "poll": values["poll"],
            "spoiler_text": values["spoiler_text"],
            "sensitive": values["sensitive"],
            "language": values["language"],
            "visibility": values["visibility"],
            "subscribers_only": values["subscribers_only"],
            "idempotency_key": request.headers.get("Idempotency-Key", ""),
            "application": _app_of(request),
        }
        if values["scheduled_at"]:
            return Response(scheduled_json(services.schedule_post(at=values["scheduled_at"], **content), request))
        post = services.create_post(surface=Surface.API, **content)
        return Response(one_status(request, post.pk))


def _app_of(request: Request) -> str:
    """The client that writes; empty for a browser's session and for tokens of no app."""
    app = getattr(request.auth, "application", None)
    return app.name if app else ""


def own_media(owner: User, ids: list[int]) -> list[Media]:
    """The caller's attachments in the given order; NotFound for any other."""
    found = Media.objects.filter(owner=owner, pk__in=ids).in_bulk()
    if missing := [str(pk) for pk in ids if pk not in found]:
        raise NotFound("Media not found", extra={"media_ids": missing})
    return [found[pk] for pk in ids]


class StatusView(APIView):
    permission_classes = (requires(read="read:statuses", write="write:statuses", public=True),)

    @extend_schema(responses=StatusSerializer, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(one_status(request, object_id(pk)))

    @extend_schema(request=StatusEditInputs, responses=StatusSerializer, tags=["statuses"])
    def put(self, request: Request, pk: str) -> Response:
        values = validated(StatusEditInputs, request)
        post = visible_post(request, pk)
        media = own_media(request.user, values["media_ids"]) if "media_ids" in values else None
        services.edit_post(
            editor=request.user,
            post=post,
            text=values["status"],
            spoiler_text=values["spoiler_text"],
            sensitive=values["sensitive"],
            language=values["language"] or None,
            media=media,
        )
        return Response(one_status(request, post.pk))

    @extend_schema(responses=StatusSerializer, tags=["statuses"])
    def delete(self, request: Request, pk: str) -> Response:
        post = visible_post(request, pk)
        data = one_status(request, post.pk) | {"text": post.text}
        services.delete_post(actor=request.user, post=post)
        return Response(data)


class PollView(APIView):
    """A poll goes by the id of its post."""

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
    post = visible_post(request, pk)
    rendering = Rendering.of([post], request)
    if post.pk not in rendering.polls:
        raise NotFound("Record not found")
    return poll_json(rendering.polls[post.pk], rendering)


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


class StatusContextView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=dict, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        thread = selectors.thread(request.user, visible_post(request, pk))
        rendering = Rendering.of([*thread.ancestors, *thread.descendants], request)
        return Response(
            {
                "ancestors": [status_json(post, rendering) for post in thread.ancestors],
                "descendants": [status_json(post, rendering) for post in thread.descendants],
            }
        )


class StatusSourceView(APIView):
    permission_classes = (requires(read="read:statuses"),)

    @extend_schema(responses=dict, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        post = visible_post(request, pk)
        return Response({"id": str(post.pk), "text": post.text, "spoiler_text": post.spoiler_text})


class StatusHistoryView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(responses=dict, tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        post = visible_post(request, pk)
        account = AccountSerializer(post.author, context={"request": request}).data
        origin = origin_of(request)
        written = [(version, version.written_at) for version in selectors.edit_history(post)]
        written.append((post, post.edited_at or post.created_at))
        return Response([edit_json(version, at, account, origin) for version, at in written])


def edit_json(version: Post | PostEdit, at: datetime, account: dict[str, Any], origin: str) -> dict[str, Any]:
    return {
        "content": richtext.to_html(version.text, origin=origin),
        "spoiler_text": version.spoiler_text,
        "sensitive": version.sensitive,
        "created_at": timestamp(at),
        "account": account,
        "media_attachments": [],
        "emojis": [],
    }


class StatusActionView(APIView):
    """One act of the caller on a post; answers with the post as it is then."""

    permission_classes = (requires(write="write:favourites"),)

    def act(self, user: User, post: Post) -> Post | None:
        raise NotImplementedError

    @extend_schema(request=None, responses=StatusSerializer, tags=["statuses"])
    def post(self, request: Request, pk: str) -> Response:
        post = visible_post(request, pk)
        shown = self.act(request.user, post) or post
        return Response(one_status(request, shown.pk))


class FavouriteView(StatusActionView):
    def act(self, user: User, post: Post) -> None:
        services.favorite(user=user, post=post, surface=Surface.API)


class UnfavouriteView(StatusActionView):
    def act(self, user: User, post: Post) -> None:
        services.unfavorite(user=user, post=post)


class ReblogView(StatusActionView):
    permission_classes = (requires(write="write:statuses"),)

    def act(self, user: User, post: Post) -> Post:
        return services.repost(user=user, post=post)


class UnreblogView(StatusActionView):
    permission_classes = (requires(write="write:statuses"),)

    def act(self, user: User, post: Post) -> None:
        services.undo_repost(user=user, post=post)


class BookmarkView(StatusActionView):
    permission_classes = (requires(write="write:bookmarks"),)

    def act(self, user: User, post: Post) -> None:
        services.bookmark(user=user, post=post)


class UnbookmarkView(StatusActionView):
    permission_classes = (requires(write="write:bookmarks"),)

    def act(self, user: User, post: Post) -> None:
        services.unbookmark(user=user, post=post)


class FavouritedByView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(parameters=[PageInputs], responses=AccountSerializer(many=True), tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        cursor = cursor_of(request)
        likes = selectors.favorites_of(visible_post(request, pk), cursor)
        return people_page(request, [(like.pk, like.user) for like in likes], cursor)


class RebloggedByView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(parameters=[PageInputs], responses=AccountSerializer(many=True), tags=["statuses"])
    def get(self, request: Request, pk: str) -> Response:
        cursor = cursor_of(request)
        reposts = selectors.reposts_of(request.user, visible_post(request, pk), cursor)
        return people_page(request, [(post.pk, post.author) for post in reposts], cursor)


def people_page(request: Request, rows: list[tuple[int, User]], cursor: Cursor) -> Response:
    """People, each beside the id that pages go by."""
    data = AccountSerializer([user for _, user in rows], many=True, context={"request": request}).data
    return page_response(request, data, ids=[pk for pk, _ in rows], limit=cursor.limit)


class AccountStatusesInputs(PageInputs):
    exclude_replies = serializers.BooleanField(required=False, default=False)
    exclude_reblogs = serializers.BooleanField(required=False, default=False)
    only_media = serializers.BooleanField(required=False, default=False)
    pinned = serializers.BooleanField(required=False, default=False)


class AccountStatusesView(APIView):
    permission_classes = (requires(read="read:statuses", public=True),)

    @extend_schema(parameters=[AccountStatusesInputs], responses=StatusSerializer(many=True), tags=["accounts"])
    def get(self, request: Request, pk: str) -> Response:
        cursor, values = cursor_of(request), validated(AccountStatusesInputs, request)
        author = people.get_user_by_id(pk)
        if values["pinned"]:
            return Response([])
        posts = selectors.visible_to(request.user).filter(author=author)
        if values["exclude_replies"]:
            posts = posts.filter(in_reply_to=None)
        if values["exclude_reblogs"]:
            posts = posts.filter(repost_of=None)
        if values["only_media"]:
            posts = posts.filter(has_media=True)
        return statuses_page(request, selectors.paged(selectors.detailed(request.user, posts), cursor), cursor)


class KeptStatusesView(APIView):
    """Posts the caller kept; pages go by the id of the keeping, not of the post."""

    def rows(self, user: User, cursor: Cursor) -> list[tuple[Any, Post]]:
        raise NotImplementedError

    @extend_schema(parameters=[PageInputs], responses=StatusSerializer(many=True), tags=["statuses"])
    def get(self, request: Request) -> Response:
        cursor = cursor_of(request)
        rows = self.rows(request.user, cursor)
        data = statuses_json([post for _, post in rows], request)
        return page_response(request, data, ids=[row.pk for row, _ in rows], limit=cursor.limit)


class FavouritesView(KeptStatusesView):
    permission_classes = (requires(read="read:favourites"),)

    def rows(self, user: User, cursor: Cursor) -> list[tuple[Any, Post]]:
        return selectors.favorites(user, cursor)


class BookmarksView(KeptStatusesView):
    permission_classes = (requires(read="read:bookmarks"),)

    def rows(self, user: User, cursor: Cursor) -> list[tuple[Any, Post]]:
        return selectors.bookmarks(user, cursor)


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


class NotificationsView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(parameters=[PageInputs, NotificationInputs], responses=dict, tags=["notifications"])
    def get(self, request: Request) -> Response:
        cursor, values = cursor_of(request), validated(NotificationInputs, request)
        rows = selectors.notifications(
            request.user,
            cursor,
            kinds=sorted(_kinds(values["types"])),
            exclude_kinds=sorted(_kinds(values["exclude_types"])),
        )
        rendering = Rendering.of([row.post for row in rows if row.post is not None], request)
        data = [notification_json(row, rendering) for row in rows]
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


def _kinds(names: list[str]) -> set[str]:
    return set(names) | ({"reply"} if "mention" in names else set())


class NotificationsClearView(APIView):
    permission_classes = (requires(write="write:notifications"),)

    @extend_schema(request=None, responses=dict, tags=["notifications"])
    def post(self, request: Request) -> Response:
        services.clear_notifications(user=request.user)
        return Response({})


class NotificationsUnreadView(APIView):
    permission_classes = (requires(read="read:notifications"),)

    @extend_schema(responses=dict, tags=["notifications"])
    def get(self, request: Request) -> Response:
        return Response({"count": selectors.unread_count(request.user)})


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
