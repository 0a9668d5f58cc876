"""The composed router: Mastodon's two versions, ours beside them, and the schema."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from accounts.api import urls as accounts_urls
from feed.api import urls as feed_urls
from moderation.api import urls as moderation_urls
from posts.api import urls as posts_urls
from xsocial.api import instance, oauth, schema  # noqa: F401  `schema` is found by being there
from xsocial.kernel.rest.routes import route

v1 = [
    route("apps", oauth.AppsView),
    route("apps/verify_credentials", oauth.AppCredentialsView),
    route("instance", instance.InstanceV1View),
    route("streaming/health", instance.StreamingHealthView),
    *accounts_urls.urlpatterns,
    *posts_urls.urlpatterns,
    *feed_urls.urlpatterns,
    *moderation_urls.urlpatterns,
    route("custom_emojis", instance.NothingView),
    route("announcements", instance.NothingView),
]
v2 = [
    route("instance", instance.InstanceV2View),
    *accounts_urls.v2_urlpatterns,
    *posts_urls.v2_urlpatterns,
]

urlpatterns = [
    path("v1/", include(v1)),
    path("v2/", include(v2)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("schema/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="schema-docs"),
    path("schema/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="schema-redoc"),
]
