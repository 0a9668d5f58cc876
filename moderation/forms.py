"""The forms with which people report and object, and staff block pictures."""

from typing import Any

from django import forms

from moderation import services
from moderation.models import BlockedPicture
from moderation.services.blocklist import LABELS
from moderation.types import ReportReason
from xsocial.kernel import fingerprints
from xsocial.kernel.errors import Invalid

REASONS = [
    (ReportReason.SPAM, "Spam, bait or a scam"),
    (ReportReason.ABUSE, "Insults or harassment"),
    (ReportReason.HATE, "Hate against a group"),
    (ReportReason.VIOLENCE, "Violence or threats"),
    (ReportReason.SELF_HARM, "Self-harm"),
    (ReportReason.SEXUAL, "Unmarked sexual content"),
    (ReportReason.CHILD_SAFETY, "A child in danger"),
    (ReportReason.ILLEGAL, "Against the law otherwise"),
    (ReportReason.IMPERSONATION, "Pretends to be somebody else"),
    (ReportReason.OTHER, "Something else"),
]


class ReportForm(forms.Form):
    """Why, and what moderators should know."""

    reason = forms.ChoiceField(choices=REASONS, widget=forms.RadioSelect, label="What is wrong with it?")
    note = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Anything moderators should know",
    )


class AppealForm(forms.Form):
    """Why a label is wrong."""

    statement = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), label="Why is this label wrong?"
    )


class BlockedPictureForm(forms.ModelForm):
    """A picture, of which only the fingerprint is kept, or a fingerprint that somebody else made."""

    file = forms.FileField(required=False, label="Picture", help_text="Only its fingerprint is kept.")
    fingerprint = forms.CharField(
        required=False, max_length=64, help_text="Instead of a picture: 64 hexadecimal digits."
    )
    label = forms.ChoiceField(choices=[(label.value, label.value) for label in LABELS])

    class Meta:
        model = BlockedPicture
        fields = ("file", "fingerprint", "label", "note")

    def clean(self) -> dict[str, Any]:
        """Adds `bits`."""
        values = super().clean() or {}
        file, digits = values.get("file"), values.get("fingerprint")
        try:
            values["bits"] = services.fingerprint_of(file) if file else fingerprints.from_hex(digits or "")
        except Invalid as error:
            self.add_error("file", error.message)
        except ValueError:
            self.add_error("fingerprint", "Choose a picture, or give a fingerprint of 64 hexadecimal digits.")
        return values
