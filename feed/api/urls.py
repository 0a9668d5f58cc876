"""Routes of timelines, and of what ranks them, under /api/v1/."""

from feed.api import disclosure, tuning, views
from xsocial.kernel.rest.routes import route

urlpatterns = [
    route("timelines/home", views.HomeView),
    route("timelines/public", views.PublicView),
    route("timelines/tag/<str:name>", views.TagView),
    route("timelines/list/<int:pk>", views.ListTimelineView),
    route("timelines/for_you", views.ForYouView),
    route("statuses/<int:pk>/similar", views.SimilarView),
    route("feed/ranking", disclosure.RankingView),
    route("feed/changes", disclosure.ChangesView),
    route("feed/tuning", tuning.TuningView),
    route("feed/tuning/preview", tuning.TuningPreviewView),
    route("receipts/<int:request_id>", views.ReceiptView),
]
