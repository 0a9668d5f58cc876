"""People as Mastodon clients know them."""

from typing import Any

from django.db.models import Model
from rest_framework import serializers

from accounts.models import User
from xsocial.kernel import ids, richtext
from xsocial.kernel.rest.inputs import IdList, Inputs


class AccountSerializer(serializers.ModelSerializer):
    """Public profile. Needs `request` in the context for absolute addresses."""

    id = serializers.CharField()
    acct = serializers.CharField(source="username")
    display_name = serializers.CharField(source="name")
    locked = serializers.BooleanField(source="is_locked")
    bot = serializers.BooleanField(source="is_bot")
    discoverable = serializers.SerializerMethodField()
    group = serializers.SerializerMethodField()
    created_at = serializers.SerializerMethodField()
    note = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    uri = serializers.SerializerMethodField()
    avatar = serializers.SerializerMethodField()
    avatar_static = serializers.SerializerMethodField()
    header = serializers.SerializerMethodField()
    header_static = serializers.SerializerMethodField()
    statuses_count = serializers.IntegerField(source="posts_count")
    last_status_at = serializers.SerializerMethodField()
    emojis = serializers.SerializerMethodField()
    fields_ = serializers.SerializerMethodField(method_name="get_fields_list")

    class Meta:
        model = User
        fields = [
            *(
                "id",
                "username",
                "acct",
                "display_name",
                "locked",
                "bot",
                "offers_subscriptions",
                "discoverable",
                "group",
                "created_at",
            ),
            *(
                "note",
                "url",
                "uri",
                "avatar",
                "avatar_static",
                "header",
                "header_static",
                "followers_count",
            ),
            *(
                "following_count",
                "statuses_count",
                "last_status_at",
                "emojis",
                "fields_",
            ),
        ]

    def to_representation(self, instance: Model) -> dict[str, Any]:
        data = super().to_representation(instance)
        data["fields"] = data.pop("fields_")
        return data

    def _absolute(self, path: str) -> str:
        return self.context["request"].build_absolute_uri(path)

    def _picture(self, file: Any, fallback: str) -> str:
        return self._absolute(file.url if file else fallback)

    def get_discoverable(self, user: User) -> bool:
        return True

    def get_group(self, user: User) -> bool:
        return False

    def get_created_at(self, user: User) -> str:
        return timestamp(ids.datetime_of(user.pk))

    def get_note(self, user: User) -> str:
        return richtext.to_html(user.bio, origin=self._absolute("/").rstrip("/"))

    def get_url(self, user: User) -> str:
        return self._absolute(f"/@{user.username}")

    def get_uri(self, user: User) -> str:
        return self.get_url(user)

    def get_avatar(self, user: User) -> str:
        return self._picture(user.avatar, "/static/img/avatar.svg")

    def get_avatar_static(self, user: User) -> str:
        return self.get_avatar(user)

    def get_header(self, user: User) -> str:
        return self._picture(user.header, "/static/img/header.svg")

    def get_header_static(self, user: User) -> str:
        return self.get_header(user)

    def get_last_status_at(self, user: User) -> str | None:
        return None

    def get_emojis(self, user: User) -> list[str]:
        return []

    def get_fields_list(self, user: User) -> list[dict[str, Any]]:
        rows = [("Website", user.website), ("Location", user.location)]
        return [{"name": name, "value": richtext.to_html(value), "verified_at": None} for name, value in rows if value]


def timestamp(moment: Any) -> str:
    """ISO 8601 in UTC with milliseconds, as clients parse it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class CredentialAccountSerializer(AccountSerializer):
    """One's own account, with what only its owner may see."""

    source = serializers.SerializerMethodField()

    class Meta(AccountSerializer.Meta):
        fields = [*AccountSerializer.Meta.fields, "source"]

    def get_source(self, user: User) -> dict[str, Any]:
        return {
            "privacy": "public",
            "sensitive": False,
            "language": user.language,
            "note": user.bio,
            "fields": [],
            "follow_requests_count": user.received_requests.count(),
        }


class RelationshipSerializer(serializers.Serializer):
    """What stands between the caller and one account."""

    id = serializers.CharField()
    following = serializers.BooleanField()
    showing_reblogs = serializers.BooleanField()
    notifying = serializers.BooleanField()
    languages = serializers.ListField(child=serializers.CharField())
    followed_by = serializers.BooleanField()
    blocking = serializers.BooleanField()
    blocked_by = serializers.BooleanField()
    muting = serializers.BooleanField()
    muting_notifications = serializers.BooleanField()
    requested = serializers.BooleanField()
    requested_by = serializers.BooleanField()
    subscribing = serializers.BooleanField()
    domain_blocking = serializers.BooleanField()
    endorsed = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)


class FollowInputs(Inputs):
    reblogs = serializers.BooleanField(required=False, default=True)
    notify = serializers.BooleanField(required=False, default=False)


class MuteInputs(Inputs):
    notifications = serializers.BooleanField(required=False, default=True)
    duration = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=366 * 86400,
        help_text="Seconds; 0 means for good.",
    )


class RelationshipInputs(Inputs):
    id = IdList(max_length=100)


class LookupInputs(Inputs):
    acct = serializers.CharField(max_length=100)


class ProfileInputs(Inputs):
    display_name = serializers.CharField(required=False, allow_blank=True, max_length=50)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)
    locked = serializers.BooleanField(required=False)
    bot = serializers.BooleanField(required=False)
    avatar = serializers.FileField(required=False)
    header = serializers.FileField(required=False)
