"""Accounts and what stands between them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api.serializers import (
    AccountSerializer,
    CredentialAccountSerializer,
    FollowInputs,
    LookupInputs,
    MuteInputs,
    ProfileInputs,
    RelationshipInputs,
    RelationshipSerializer,
    timestamp,
)
from accounts.models import User
from accounts.selectors import muted_keyword_rows, people, preferences
from accounts.types import Relationship
from xsocial.kernel import clock
from xsocial.kernel.rest.inputs import validated
from xsocial.kernel.rest.pages import PageInputs, cursor_of, page_response
from xsocial.kernel.rest.scopes import requires

SUGGESTIONS = 20


def viewer_of(request: Request) -> User | None:
    return request.user if request.user.is_authenticated else None


def relationship_data(relation: Relationship) -> dict[str, Any]:
    return {
        "id": str(relation.user_id),
        "following": relation.is_following,
        "showing_reblogs": relation.shows_reposts,
        "notifying": relation.notifies,
        "languages": [],
        "followed_by": relation.is_followed_by,
        "blocking": relation.is_blocking,
        "blocked_by": relation.is_blocked_by,
        "muting": relation.is_muting,
        "muting_notifications": relation.is_muting_notifications,
        "requested": relation.is_requested,
        "requested_by": relation.is_requested_by,
        "subscribing": relation.is_subscribed,
        "domain_blocking": False,
        "endorsed": False,
        "note": "",
    }


def _relationships(viewer: User, ids: list[int]) -> list[dict[str, Any]]:
    found = people.relationships(viewer, ids)
    return [relationship_data(found[pk]) for pk in ids if pk in found]


class VerifyCredentialsView(APIView):
    permission_classes = (requires(read="read:accounts"),)

    @extend_schema(
        operation_id="accounts_verify_credentials",
        responses=CredentialAccountSerializer,
        tags=["accounts"],
    )
    def get(self, request: Request) -> Response:
        return Response(CredentialAccountSerializer(request.user, context={"request": request}).data)


class UpdateCredentialsView(APIView):
    permission_classes = (requires(read="read:accounts", write="write:accounts"),)

    @extend_schema(
        operation_id="accounts_update_credentials",
        request=ProfileInputs,
        responses=CredentialAccountSerializer,
        tags=["accounts"],
    )
    def patch(self, request: Request) -> Response:
        values = validated(ProfileInputs, request)
        names = {"note": "bio", "locked": "is_locked", "bot": "is_bot"}
        changes = {names.get(name, name): value for name, value in values.items()}
        user = services.update_profile(user=request.user, **changes)
        return Response(CredentialAccountSerializer(user, context={"request": request}).data)


class AccountView(APIView):
    permission_classes = (requires(read="read:accounts", public=True),)

    @extend_schema(operation_id="accounts_retrieve", responses=AccountSerializer, tags=["accounts"])
    def get(self, request: Request, pk: str) -> Response:
        return Response(AccountSerializer(people.get_user_by_id(pk), context={"request": request}).data)


class LookupView(APIView):
    permission_classes = (requires(read="read:accounts", public=True),)

    @extend_schema(
        operation_id="accounts_lookup",
        parameters=[LookupInputs],
        responses=AccountSerializer,
        tags=["accounts"],
    )
    def get(self, request: Request) -> Response:
        handle = validated(LookupInputs, request)["acct"].lstrip("@").split("@")[0]
        user = people.get_user(handle)
        return Response(AccountSerializer(user, context={"request": request}).data)


class RelationshipsView(APIView):
    permission_classes = (requires(read="read:follows"),)

    @extend_schema(
        operation_id="accounts_relationships",
        parameters=[RelationshipInputs],
        responses=RelationshipSerializer(many=True),
        tags=["accounts"],
    )
    def get(self, request: Request) -> Response:
        return Response(_relationships(request.user, validated(RelationshipInputs, request)["id"]))


class PreferencesView(APIView):
    permission_classes = (requires(read="read:accounts"),)

    @extend_schema(operation_id="preferences", responses=dict, tags=["accounts"])
    def get(self, request: Request) -> Response:
        wishes = preferences(request.user)
        return Response(
            {
                "posting:default:visibility": "public",
                "posting:default:sensitive": False,
                "posting:default:language": request.user.language or None,
                "reading:expand:media": "show_all" if wishes.shows_sensitive else "default",
                "reading:expand:spoilers": False,
            }
        )


class SuggestionsView(APIView):
    permission_classes = (requires(read="read:accounts"),)

    @extend_schema(responses=dict, tags=["accounts"])
    def get(self, request: Request) -> Response:
        found = people.who_to_follow(request.user, limit=SUGGESTIONS)
        accounts = AccountSerializer(found, many=True, context={"request": request}).data
        return Response(
            [
                {
                    "source": "past_interactions" if person.num_mutuals else "global",
                    "sources": ["friends_of_friends" if person.num_mutuals else "most_followed"],
                    "account": account,
                }
                for person, account in zip(found, accounts, strict=True)
            ]
        )


class FiltersView(APIView):
    """Muted words, to be read; they are changed on the site."""

    permission_classes = (requires(read="read:filters"),)

    @extend_schema(responses=dict, tags=["accounts"])
    def get(self, request: Request) -> Response:
        return Response(
            [
                {
                    "id": str(row.pk),
                    "title": row.phrase,
                    "context": ["home", "notifications", "public", "thread"],
                    "expires_at": timestamp(row.expires_at) if row.expires_at else None,
                    "filter_action": "hide",
                    "keywords": [{"id": str(row.pk), "keyword": row.phrase, "whole_word": True}],
                    "statuses": [],
                }
                for row in muted_keyword_rows(request.user)
            ]
        )


class RelationActionView(APIView):
    """One change between the caller and another account; answers with the new relationship."""

    permission_classes = (requires(write="write:follows"),)

    def act(self, request: Request, other: User) -> None:
        raise NotImplementedError

    @extend_schema(request=None, responses=RelationshipSerializer, tags=["accounts"])
    def post(self, request: Request, pk: str) -> Response:
        other = people.get_user_by_id(pk)
        self.act(request, other)
        return Response(_relationships(request.user, [other.pk])[0])


class FollowView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        values = validated(FollowInputs, request)
        services.follow(
            follower=request.user,
            followee=other,
            shows_reposts=values["reblogs"],
            notifies=values["notify"],
        )


class UnfollowView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.unfollow(follower=request.user, followee=other)


class RemoveFollowerView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.remove_follower(user=request.user, follower=other)


class SubscribeView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.subscribe(subscriber=request.user, author=other)


class UnsubscribeView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.unsubscribe(subscriber=request.user, author=other)


class BlockView(RelationActionView):
    permission_classes = (requires(write="write:blocks"),)

    def act(self, request: Request, other: User) -> None:
        services.block(blocker=request.user, blocked=other)


class UnblockView(RelationActionView):
    permission_classes = (requires(write="write:blocks"),)

    def act(self, request: Request, other: User) -> None:
        services.unblock(blocker=request.user, blocked=other)


class MuteView(RelationActionView):
    permission_classes = (requires(write="write:mutes"),)

    def act(self, request: Request, other: User) -> None:
        values = validated(MuteInputs, request)
        ends = clock.now() + timedelta(seconds=values["duration"]) if values["duration"] else None
        services.mute(muter=request.user, muted=other, expires_at=ends, hides_notifications=values["notifications"])


class UnmuteView(RelationActionView):
    permission_classes = (requires(write="write:mutes"),)

    def act(self, request: Request, other: User) -> None:
        services.unmute(muter=request.user, muted=other)


class AuthorizeRequestView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.accept_follow(target=request.user, requester=other)


class RejectRequestView(RelationActionView):
    def act(self, request: Request, other: User) -> None:
        services.reject_follow(target=request.user, requester=other)


class EdgeListView(APIView):
    """People at the far end of edges, newest edge first; pages go by the edge's id."""

    person = ""

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        raise NotImplementedError

    @extend_schema(parameters=[PageInputs], responses=AccountSerializer(many=True), tags=["accounts"])
    def get(self, request: Request, pk: str = "") -> Response:
        cursor = cursor_of(request)
        rows = self.edges(request, pk, max_id=cursor.max_id, limit=cursor.limit)
        users = [getattr(row, self.person) for row in rows]
        data = AccountSerializer(users, many=True, context={"request": request}).data
        return page_response(request, data, ids=[row.pk for row in rows], limit=cursor.limit)


class FollowersView(EdgeListView):
    permission_classes = (requires(read="read:accounts", public=True),)
    person = "follower"

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        return people.followers(request.user, people.get_user_by_id(pk), **page)


class FollowingView(EdgeListView):
    permission_classes = (requires(read="read:accounts", public=True),)
    person = "followee"

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        return people.following(request.user, people.get_user_by_id(pk), **page)


class FollowRequestsView(EdgeListView):
    permission_classes = (requires(read="read:follows"),)
    person = "requester"

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        return people.follow_requests(request.user, **page)


class BlocksView(EdgeListView):
    permission_classes = (requires(read="read:blocks"),)
    person = "blocked"

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        return people.blocks(request.user, **page)


class MutesView(EdgeListView):
    permission_classes = (requires(read="read:mutes"),)
    person = "muted"

    def edges(self, request: Request, pk: str, **page: Any) -> Sequence[Model]:
        return people.mutes(request.user, **page)
