"""Forms of the settings pages. They parse; what is allowed is decided by the services."""

from datetime import timedelta
from zoneinfo import available_timezones

from django import forms

from accounts.models import FeedPreferences, PeopleList, User
from accounts.models.people_list import TITLE_MAX_LENGTH
from accounts.models.user import BIO_MAX_LENGTH
from accounts.types import LANGUAGES, RepliesPolicy
from xsocial.kernel import clock

DURATIONS = {"": "For good", "1": "For a day", "7": "For a week", "30": "For 30 days"}


class ProfileForm(forms.Form):
    """What others read about a person."""

    display_name = forms.CharField(required=False, max_length=50, label="Name")
    bio = forms.CharField(required=False, max_length=BIO_MAX_LENGTH, widget=forms.Textarea(attrs={"rows": 4}))
    location = forms.CharField(required=False, max_length=60)
    website = forms.URLField(required=False, assume_scheme="https")
    avatar = forms.FileField(required=False, label="Picture", help_text="Square pictures look best.")
    removes_avatar = forms.BooleanField(required=False, label="Remove my picture")
    header = forms.FileField(required=False, label="Header", help_text="Three times as wide as high.")
    removes_header = forms.BooleanField(required=False, label="Remove my header")
    is_locked = forms.BooleanField(
        required=False, label="Approve followers", help_text="Only people you accept can follow and see your posts."
    )
    is_bot = forms.BooleanField(required=False, label="This account is automated")
    offers_subscriptions = forms.BooleanField(
        required=False, label="Offer subscriptions", help_text="You may then write posts for subscribers only."
    )

    TEXTS = ("display_name", "bio", "location", "website")
    SWITCHES = ("is_locked", "is_bot", "offers_subscriptions")

    @classmethod
    def initial_of(cls, user: User) -> dict[str, object]:
        return {name: getattr(user, name) for name in (*cls.TEXTS, *cls.SWITCHES)}


THEMES = {"": "As this device has it", "light": "Light", "dark": "Dark"}


class RegionForm(forms.Form):
    """Language and clock, and the colours on this device."""

    language = forms.ChoiceField(
        choices=LANGUAGES, help_text="Advertisers may ask for it. These pages are written in English for everybody."
    )
    time_zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        help_text="Dates and times follow it.",
    )
    theme = forms.ChoiceField(
        required=False, choices=list(THEMES.items()), label="Colours", help_text="On this device only."
    )

    @classmethod
    def initial_of(cls, user: User) -> dict[str, str]:
        return {"language": user.language, "time_zone": user.time_zone}


class FeedForm(forms.ModelForm):
    """How one wants the feed."""

    languages = forms.MultipleChoiceField(
        required=False,
        choices=LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Posts of strangers in other languages are left out. Choose none to read all.",
    )

    class Meta:
        model = FeedPreferences
        fields = [
            "allows_recommendations",
            "shows_unscreened",
            "shows_sensitive",
            "hides_videos",
            "personalises_ads",
            "languages",
        ]


class NewListForm(forms.Form):
    """A list to begin with."""

    title = forms.CharField(max_length=TITLE_MAX_LENGTH, label="Name of a new list")


REPLIES = {
    RepliesPolicy.LIST: "To people on the list",
    RepliesPolicy.FOLLOWED: "To anybody you follow",
    RepliesPolicy.NONE: "None",
}


class ListForm(forms.Form):
    """What a list shows, and where else its people are shown."""

    title = forms.CharField(max_length=TITLE_MAX_LENGTH, label="Name")
    replies_policy = forms.ChoiceField(
        choices=[(policy.value, words) for policy, words in REPLIES.items()],
        label="Replies",
        help_text="Replies to you are always here.",
    )
    is_exclusive = forms.BooleanField(
        required=False,
        label="Leave these people out of Following",
        help_text="You then meet their posts here. For You goes on as before.",
    )

    @classmethod
    def initial_of(cls, people_list: PeopleList) -> dict[str, object]:
        return {name: getattr(people_list, name) for name in cls.base_fields}


class KeywordForm(forms.Form):
    """A word one does not want to meet."""

    phrase = forms.CharField(max_length=100, label="Word or phrase")
    days = forms.ChoiceField(required=False, choices=list(DURATIONS.items()), label="How long")

    def expires_at(self):
        """The end of the mute, or None for good."""
        days = self.cleaned_data["days"]
        return clock.now() + timedelta(days=int(days)) if days else None
