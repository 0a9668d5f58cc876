"""OAuth2 as Mastodon clients speak it, on Django OAuth Toolkit.

Adds what the dialect needs: registering an app over the API, the out-of-band redirect that shows
the code on a page, endpoints with and without a final slash, and discovery.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from oauth2_provider.models import get_application_model
from oauth2_provider.views import AuthorizationView, RevokeTokenView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from xsocial.kernel.errors import Invalid
from xsocial.kernel.rest.inputs import Inputs, ScalarOrList, validated
from xsocial.kernel.scopes import SCOPES

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_ALLOWED_SCHEMES = frozenset({"http", "https"})


# The form's answer redirects to the client, which the usual form-action would forbid.
@method_decorator(csp_update({"form-action": ["*"]}), name="dispatch")
class AuthorizeView(AuthorizationView):
    """Asks the person; with the out-of-band redirect, shows the code instead of redirecting."""

    def redirect(self, redirect_to: str, application: Any) -> HttpResponse:
        if not redirect_to.startswith(OUT_OF_BAND):
            return super().redirect(redirect_to, application)
        answer = parse_qs(urlsplit(redirect_to).query)
        code = answer.get("code", [""])[0]
        context = {"application": application, "code": code, "error": answer.get("error", [""])[0]}
        return render(self.request, "oauth2_provider/code.html", context, status=200 if code else 403)


class RevokeView(RevokeTokenView):
    """Takes a token back. Clients of this dialect expect a JSON body."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        return response if response.content else JsonResponse({}, status=response.status_code)


class AppInputs(Inputs):
    client_name = serializers.CharField(max_length=60)
    redirect_uris = ScalarOrList(child=serializers.CharField(max_length=2000))
    scopes = serializers.CharField(required=False, default="read")
    website = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class AppSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    website = serializers.CharField(allow_null=True)
    redirect_uri = serializers.CharField()
    redirect_uris = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    client_id = serializers.CharField()
    client_secret = serializers.CharField()
    vapid_key = serializers.CharField(allow_blank=True)


def _redirects(entries: list[str]) -> list[str]:
    uris = [uri for entry in entries for uri in entry.split()]
    for uri in uris:
        parts = urlsplit(uri)
        is_web = parts.scheme in _ALLOWED_SCHEMES and bool(parts.netloc) and not parts.fragment
        if uri != OUT_OF_BAND and not is_web:
            raise Invalid(
                "redirect_uris must be web addresses or the out-of-band address.", extra={"redirect_uri": uri}
            )
    if not uris:
        raise Invalid("Name at least one redirect URI.")
    return uris


class AppsView(APIView):
    """Registers a client application; anybody may, within the rate limit."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="apps_create", request=AppInputs, responses=AppSerializer, tags=["apps"])
    def post(self, request: Request) -> Response:
        values = validated(AppInputs, request)
        redirects = _redirects(values["redirect_uris"])
        scopes = values["scopes"].split()
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise Invalid("Unknown scopes.", extra={"scopes": unknown})
        model = get_application_model()
        application = model(
            name=values["client_name"],
            redirect_uris=" ".join(redirects),
            client_type=model.CLIENT_CONFIDENTIAL,
            authorization_grant_type=model.GRANT_AUTHORIZATION_CODE,
        )
        secret = application.client_secret  # readable only now: saving hashes it
        application.save()
        data = {
            "id": str(application.pk),
            "name": application.name,
            "website": values.get("website") or None,
            "redirect_uri": "\n".join(redirects),
            "redirect_uris": redirects,
            "scopes": scopes,
            "client_id": application.client_id,
            "client_secret": secret,
            "vapid_key": "",
        }
        return Response(AppSerializer(data).data)


class AppCredentialsView(APIView):
    """Which application a token belongs to."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="apps_verify_credentials", responses=dict, tags=["apps"])
    def get(self, request: Request) -> Response:
        if request.auth is None:
            self.permission_denied(request)
        application = request.auth.application
        return Response({"name": application.name, "website": None, "scopes": request.auth.scope.split()})


def metadata(request: HttpRequest) -> JsonResponse:
    """RFC 8414 discovery. Endpoints without a final slash, as clients expect them."""
    origin = request.build_absolute_uri("/").rstrip("/")
    return JsonResponse(
        {
            "issuer": f"{origin}/",
            "service_documentation": f"{origin}/api/schema/docs/",
            "authorization_endpoint": f"{origin}/oauth/authorize",
            "token_endpoint": f"{origin}/oauth/token",
            "revocation_endpoint": f"{origin}/oauth/revoke",
            "userinfo_endpoint": f"{origin}/oauth/userinfo",
            "app_registration_endpoint": f"{origin}/api/v1/apps",
            "scopes_supported": list(settings.OAUTH2_PROVIDER["SCOPES"]),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


class UserInfoView(APIView):
    """OpenID-style answer to "whose token is this"."""

    @extend_schema(operation_id="oauth_userinfo", responses=dict, tags=["apps"])
    def get(self, request: Request) -> Response:
        if not request.user.is_authenticated:
            self.permission_denied(request)
        user = request.user
        origin = request.build_absolute_uri("/").rstrip("/")
        data = {
            "iss": f"{origin}/",
            "sub": str(user.pk),
            "name": user.name,
            "preferred_username": user.username,
            "profile": f"{origin}/@{user.username}",
            "picture": request.build_absolute_uri(user.avatar.url) if user.avatar else "",
        }
        return Response(data)
