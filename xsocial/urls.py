"""Every address of the site, app by app. The wiring only."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path, re_path
from oauth2_provider import views as oauth2

from accounts.views.email import EmailPage
from xsocial import health
from xsocial.api import instance, oauth
from xsocial.media import media
from xsocial.offline import offline, service_worker


def favicon(request: HttpRequest) -> HttpResponse:
    """Our picture, for pages that name none of their own: the admin's and the API's."""
    return HttpResponseRedirect(static("img/favicon.svg"))


# Mastodon's clients leave the last slash out, Django's keep it.
oauth_patterns = [
    re_path(r"^authorize/?$", oauth.AuthorizeView.as_view(), name="authorize"),
    re_path(r"^token/?$", oauth2.TokenView.as_view(), name="token"),
    re_path(r"^revoke/?$", oauth.RevokeView.as_view(), name="revoke-token"),
    re_path(r"^introspect/?$", oauth2.IntrospectTokenView.as_view(), name="introspect"),
    re_path(r"^userinfo/?$", oauth.UserInfoView.as_view(), name="userinfo"),
]

handler400 = "xsocial.page_errors.bad_request"
handler404 = "xsocial.page_errors.page_not_found"
handler500 = "xsocial.page_errors.server_error"

admin.autodiscover()

urlpatterns = [
    path("favicon.ico", favicon),
    path("offline", offline, name="offline"),
    path("service-worker.js", service_worker),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("metrics/background", health.background_metrics, name="background_metrics"),
    path("admin/", admin.site.urls),
    path("accounts/email/", EmailPage.as_view()),
    path("accounts/", include("allauth.urls")),
    path("oauth/", include((oauth_patterns, "oauth2_provider"))),
    path("api/", include("xsocial.api.urls")),
    path(".well-known/oauth-authorization-server", oauth.metadata),
    path(".well-known/nodeinfo", instance.nodeinfo_index),
    path("nodeinfo/2.0", instance.nodeinfo),
    re_path(r"^media/(?P<path>.+)$", media, name="media"),
    path("", include("feed.urls")),
    path("", include("moderation.urls")),
    path("", include("posts.urls")),
    path("", include("accounts.urls")),
]
