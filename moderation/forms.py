"""The forms with which people report and object."""

from django import forms

from moderation.types import ReportReason

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
