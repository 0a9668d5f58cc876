"""Statuses: written, read, acted on, and in lists."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer, timestamp
from accounts.models import User
from accounts.selectors import people
from posts import selectors, services
from posts.api.media import own_media
from posts.api.serializers import (
    Rendering,
    StatusEditInputs,
    StatusInputs,
    StatusSerializer,
    origin_of,
    scheduled_json,
    status_json,
    statuses_json,
)
from posts.models import Post, PostEdit
from posts.types import Surface
from xsocial.kernel import richtext
from xsocial.kernel.errors import NotFound
from xsocial.kernel.paging import Cursor
from xsocial.kernel.rest.inputs import object_id, validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires


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


class PinView(StatusActionView):
    permission_classes = (requires(write="write:accounts"),)

    def act(self, user: User, post: Post) -> None:
        services.pin(user=user, post=post)


class UnpinView(StatusActionView):
    permission_classes = (requires(write="write:accounts"),)

    def act(self, user: User, post: Post) -> None:
        services.unpin(user=user, post=post)


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
            pinned = selectors.posts_by_id(request.user, selectors.pinned_ids(request.user, author))
            return Response(statuses_json(pinned, request))
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
