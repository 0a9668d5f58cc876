"""Groups that operators are put into, each with the rights its work needs.

`migrate` makes the groups that are missing. What an operator changes about one afterwards stays.
Members also need to be staff to enter the admin.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps

RIGHTS = {
    "Moderators": (
        "moderation.moderate",
        "moderation.view_*",
        "posts.view_post",
        "posts.delete_post",
        "posts.view_media",
        "posts.*_tag",
    ),
    "Advertising": (
        "ads.view_*",
        *(f"ads.{act}_{what}" for act in ("add", "change") for what in ("advertiser", "campaign", "creative")),
    ),
    "Feed tuners": (
        "feed.*_weightset",
        "feed.*_featureparameter",
        "feed.*_prompt",
        "feed.*_policyexclusion",
        "feed.view_weightchange",
        "feed.view_loadsettings",
        "ranking.*_modelversion",
    ),
    "Receipt readers": ("feed.view_receipt", "feed.view_receiptlook"),
}


def make_groups(sender: AppConfig, *, using: str, apps: Apps = apps, **about: Any) -> None:
    """Make the groups that are missing. Listens to `post_migrate`, which `flush` sends too, without a state of apps."""
    try:
        groups = apps.get_model("auth", "Group").objects.using(using)
        permissions = apps.get_model("auth", "Permission").objects.using(using)
    except LookupError:  # on the way to a state without them
        return
    missing = RIGHTS.keys() - set(groups.filter(name__in=RIGHTS).values_list("name", flat=True))
    if not missing:
        return
    rows = permissions.values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    for name in sorted(missing):
        groups.create(name=name).permissions.set(_matching(known, RIGHTS[name]))


def _matching(known: dict[str, int], wanted: Iterable[str]) -> list[int]:
    return [pk for name, pk in known.items() if any(fnmatchcase(name, each) for each in wanted)]
