"""Forms of the post pages. They parse; what is allowed is decided by the services."""

from datetime import datetime

from django import forms

from posts.types import MAX_MEDIA_PER_POST, POLL_MAX_OPTIONS, POST_MAX_LENGTH, PollDraft, Visibility


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several uploads under one name."""

    widget = ManyFilesInput

    def clean(self, data, initial=None) -> list:
        uploads = data if isinstance(data, (list, tuple)) else [data]
        return [super(ManyFilesField, self).clean(upload, initial) for upload in uploads if upload]


def later_field(**options) -> forms.DateTimeField:
    """A moment by the reader's clock, to the minute."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(widget=widget, label="When", **options)


A_DAY = 86_400
POLL_LASTS = [
    (300, "5 minutes"),
    (3600, "1 hour"),
    (6 * 3600, "6 hours"),
    (A_DAY, "1 day"),
    (3 * A_DAY, "3 days"),
    (7 * A_DAY, "7 days"),
]
VISIBILITIES = [
    (Visibility.PUBLIC, "Everyone"),
    (Visibility.UNLISTED, "Everyone, unlisted"),
    (Visibility.FOLLOWERS, "Followers"),
    (Visibility.DIRECT, "Only people named"),
]


class ComposeForm(forms.Form):
    """A new post, reply or quote."""

    text = forms.CharField(required=False, strip=True, widget=forms.Textarea, max_length=8 * POST_MAX_LENGTH)
    spoiler_text = forms.CharField(required=False, max_length=200, label="Content warning")
    sensitive = forms.BooleanField(required=False, label="Sensitive pictures")
    visibility = forms.ChoiceField(required=False, choices=VISIBILITIES)
    subscribers_only = forms.BooleanField(required=False, label="Subscribers only")
    files = ManyFilesField(required=False)
    poll = forms.BooleanField(required=False, label="Poll")
    poll_lasts = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=86_400, choices=POLL_LASTS, initial=86_400
    )
    poll_multiple = forms.BooleanField(required=False, label="Several answers")
    later = forms.BooleanField(required=False, label="Post later")
    scheduled_at = later_field(required=False)
    reply_to = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    quote = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_scheduled_at(self) -> datetime | None:
        """None unless it was asked for: the field may keep a time although its switch is off."""
        if self.cleaned_data["later"] and not self.cleaned_data["scheduled_at"]:
            raise forms.ValidationError("Choose when it should appear.")
        return self.cleaned_data["scheduled_at"] if self.cleaned_data["later"] else None

    def options(self) -> list[str]:
        """What the poll's fields say, the empty ones too: the form shows them again."""
        given = self.data.getlist("option") if self.is_bound else []
        return [*given, *[""] * POLL_MAX_OPTIONS][:POLL_MAX_OPTIONS]

    def poll_draft(self) -> PollDraft | None:
        if not self.cleaned_data["poll"]:
            return None
        options = tuple(option.strip() for option in self.options() if option.strip())
        return PollDraft(options, self.cleaned_data["poll_lasts"], self.cleaned_data["poll_multiple"])

    def clean_files(self) -> list:
        files = self.cleaned_data["files"]
        if len(files) > MAX_MEDIA_PER_POST:
            raise forms.ValidationError(f"A post has at most {MAX_MEDIA_PER_POST} pictures.")
        return files

    def alt_texts(self) -> list[str]:
        """One description per upload, in order; empty where none was written."""
        return [self.data.get(f"alt_{index}", "")[:1500] for index in range(len(self.cleaned_data["files"]))]


class ScheduledForm(forms.Form):
    """Changing a post that waits for its time."""

    text = forms.CharField(required=False, widget=forms.Textarea, max_length=8 * POST_MAX_LENGTH)
    visibility = forms.ChoiceField(required=False, choices=VISIBILITIES, label="Who can see it")
    scheduled_at = later_field()


class EditForm(forms.Form):
    """Changing the words of a post."""

    text = forms.CharField(required=False, widget=forms.Textarea, max_length=8 * POST_MAX_LENGTH)
    spoiler_text = forms.CharField(required=False, max_length=200, label="Content warning")
    sensitive = forms.BooleanField(required=False, label="Sensitive pictures")
