"""The operators' site: the tools one turns first, then the tables behind them, under names people use."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.http import HttpRequest

#: In this order; whatever is not named follows by name.
NAMES = {
    "feed": "Ranking and pages",
    "ranking": "Models",
    "ads": "Advertising",
    "moderation": "Moderation",
    "accounts": "People",
    "posts": "Posts",
}


class OperatorsSite(admin.AdminSite):
    """Django's site, in our order and words."""

    site_header = site_title = "xsocial operations"
    index_title = "Operations"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The apps as they stand in menus."""
        order = list(NAMES)
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["name"] = NAMES.get(app["app_label"], app["name"])
        return sorted(apps, key=lambda app: order.index(app["app_label"]) if app["app_label"] in NAMES else len(order))


class OperatorsConfig(SimpleAdminConfig):
    """Simple: the apps' admin modules are loaded with the URLs, not by processes without pages."""

    default_site = "xsocial.admin_site.OperatorsSite"
