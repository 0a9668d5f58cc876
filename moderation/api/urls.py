"""Routes of reporting under /api/v1/."""

from moderation.api import views
from xsocial.kernel.rest.routes import route

urlpatterns = [route("reports", views.ReportsView)]
