"""Reports as clients of the dialect send them: an account, perhaps some of its posts, and why."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import AccountSerializer, timestamp
from accounts.selectors import people
from moderation import services
from moderation.models import Report
from moderation.types import ReportReason
from posts.selectors import get_visible_post
from posts.types import Surface
from xsocial.kernel.errors import Invalid
from xsocial.kernel.rest.inputs import IdList, Inputs, validated
from xsocial.kernel.rest.scopes import requires

#: The dialect's categories beside our reasons, which are taken as well.
CATEGORIES = {"spam": ReportReason.SPAM, "legal": ReportReason.ILLEGAL, "violation": ReportReason.OTHER}
MAX_POSTS = 10


class ReportInputs(Inputs):
    account_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    status_ids = IdList(required=False, default=list, max_length=MAX_POSTS)
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)
    category = serializers.CharField(required=False, default="other", max_length=20)


class ReportsView(APIView):
    permission_classes = (requires(write="write:reports"),)

    @extend_schema(request=ReportInputs, responses=dict, tags=["reports"])
    def post(self, request: Request) -> Response:
        values = validated(ReportInputs, request)
        account = people.get_user_by_id(values["account_id"])
        posts = [get_visible_post(request.user, post_id) for post_id in values["status_ids"]]
        if any(post.author_id != account.pk for post in posts):
            raise Invalid("The posts must be by the reported account.", extra={"field": "status_ids"})
        reason = CATEGORIES.get(values["category"], values["category"])
        about = {"user": request.user, "reason": reason, "note": values["comment"], "surface": Surface.API}
        with transaction.atomic():
            filed = [services.report(post=post, **about) for post in posts] or [
                services.report(account=account, **about)
            ]
        return Response(_json(filed[0], values, request))


def _json(filed: Report, values: dict[str, Any], request: Request) -> dict[str, Any]:
    return {
        "id": str(filed.pk),
        "action_taken": False,
        "action_taken_at": None,
        "category": values["category"],
        "comment": filed.note,
        "forwarded": False,
        "created_at": timestamp(filed.created_at),
        "status_ids": [str(post_id) for post_id in values["status_ids"]],
        "rule_ids": None,
        "target_account": AccountSerializer(filed.account, context={"request": request}).data,
    }
