"""Plain vocabulary of moderation that other apps may share. No Django here."""

from collections.abc import Mapping
from enum import StrEnum


class Label(StrEnum):
    """Safety labels of posts. The names are those of the published label store."""

    # written by Grox for advertisers: exactly one of the three once a post is fully scored
    GROK_SFA = "GROK_SFA"
    GROK_NSFA_LIMITED = "GROK_NSFA_LIMITED"
    GROK_NSFA = "GROK_NSFA"
    # policy screen finished; and its counterpart: some part of the post could not be judged
    PTOS_REVIEWED = "PTOS_REVIEWED"
    GROK_NOT_SCORED = "GROK_NOT_SCORED"
    # adult content
    NSFW_HIGH_PRECISION = "NSFW_HIGH_PRECISION"
    NSFW_HIGH_RECALL = "NSFW_HIGH_RECALL"
    NSFW_REPORTED_HEURISTICS = "NSFW_REPORTED_HEURISTICS"
    NSFW_CARD_IMAGE = "NSFW_CARD_IMAGE"
    NSFW_TEXT = "NSFW_TEXT"
    SOFT_NSFW = "SOFT_NSFW"
    EGREGIOUS_NSFW = "EGREGIOUS_NSFW"
    # violence
    GORE_AND_VIOLENCE_HIGH_PRECISION = "GORE_AND_VIOLENCE_HIGH_PRECISION"
    GORE_AND_VIOLENCE_REPORTED_HEURISTICS = "GORE_AND_VIOLENCE_REPORTED_HEURISTICS"
    # spam and abuse
    SPAM = "SPAM"
    SPAM_HIGH_RECALL = "SPAM_HIGH_RECALL"
    FOSNR_ABUSE_INSULTS = "FOSNR_ABUSE_INSULTS"
    FOSNR_HATEFUL_CONDUCT = "FOSNR_HATEFUL_CONDUCT"
    FOSNR_VIOLENT_SPEECH = "FOSNR_VIOLENT_SPEECH"
    SELF_HARM = "SELF_HARM"
    RISKY_HIGH_VIZ_REPLY = "RISKY_HIGH_VIZ_REPLY"
    IMPERSONATION = "IMPERSONATION"
    MALICIOUS_URL = "MALICIOUS_URL"
    # law
    PDNA = "PDNA"
    CHILD_SAFETY = "CHILD_SAFETY"
    GEO_RESTRICTED_MEDIA = "GEO_RESTRICTED_MEDIA"
    COPYRIGHT_WITHHELD = "COPYRIGHT_WITHHELD"
    # advertisers
    NSFA_HIGH_PRECISION = "NSFA_HIGH_PRECISION"
    NSFA_HIGH_RECALL = "NSFA_HIGH_RECALL"
    NSFA_KEYWORDS_HIGH_PRECISION = "NSFA_KEYWORDS_HIGH_PRECISION"
    NSFA_LIMITED_INVENTORY = "NSFA_LIMITED_INVENTORY"
    NSFA_COMMUNITY_NOTE = "NSFA_COMMUNITY_NOTE"
    # distribution
    DO_NOT_AMPLIFY = "DO_NOT_AMPLIFY"


GROK_SUITABILITY = (Label.GROK_SFA, Label.GROK_NSFA_LIMITED, Label.GROK_NSFA)
#: Labels that say how far screening came; they restrict nothing and need no notice.
STATUS_LABELS = frozenset({Label.GROK_SFA, Label.PTOS_REVIEWED, Label.GROK_NOT_SCORED})
#: Labels that only advertisers' computers read. The author is not told of them, and may still appeal.
ADVERTISER_LABELS = frozenset({Label.GROK_NSFA, Label.GROK_NSFA_LIMITED})


#: Labels that say a rule was broken: put on by a moderator, they count against the author. The others mark a post
#: for those who should not see it (adult, graphic), ask for care (self-harm), or follow from law or reach.
VIOLATION_LABELS = frozenset(
    {
        Label.SPAM,
        Label.SPAM_HIGH_RECALL,
        Label.FOSNR_ABUSE_INSULTS,
        Label.FOSNR_HATEFUL_CONDUCT,
        Label.FOSNR_VIOLENT_SPEECH,
        Label.IMPERSONATION,
        Label.MALICIOUS_URL,
        Label.EGREGIOUS_NSFW,
        Label.PDNA,
        Label.CHILD_SAFETY,
    }
)


#: What a label says of a post, for people.
LABEL_WORDS: Mapping[str, str] = {
    Label.GROK_SFA: "Fit for advertisers",
    Label.GROK_NSFA_LIMITED: "Few ads beside it",
    Label.GROK_NSFA: "No ads beside it",
    Label.PTOS_REVIEWED: "Screened",
    Label.GROK_NOT_SCORED: "Not scored",
    Label.NSFW_HIGH_PRECISION: "Adult content",
    Label.NSFW_HIGH_RECALL: "Perhaps adult content",
    Label.NSFW_REPORTED_HEURISTICS: "Reported as adult content",
    Label.NSFW_CARD_IMAGE: "Adult picture in a link",
    Label.NSFW_TEXT: "Adult words",
    Label.SOFT_NSFW: "Suggestive content",
    Label.EGREGIOUS_NSFW: "Extreme adult content",
    Label.GORE_AND_VIOLENCE_HIGH_PRECISION: "Graphic violence",
    Label.GORE_AND_VIOLENCE_REPORTED_HEURISTICS: "Reported as graphic violence",
    Label.SPAM: "Spam",
    Label.SPAM_HIGH_RECALL: "Likely spam",
    Label.FOSNR_ABUSE_INSULTS: "Insults",
    Label.FOSNR_HATEFUL_CONDUCT: "Hate against people",
    Label.FOSNR_VIOLENT_SPEECH: "Threats or praise of violence",
    Label.SELF_HARM: "Self-harm",
    Label.RISKY_HIGH_VIZ_REPLY: "A risky reply",
    Label.IMPERSONATION: "Pretends to be somebody else",
    Label.MALICIOUS_URL: "A harmful link",
    Label.PDNA: "A forbidden picture",
    Label.CHILD_SAFETY: "Endangers children",
    Label.GEO_RESTRICTED_MEDIA: "Not available in some countries",
    Label.COPYRIGHT_WITHHELD: "Withheld for copyright",
    Label.NSFA_HIGH_PRECISION: "Not for advertisers",
    Label.NSFA_HIGH_RECALL: "Perhaps not for advertisers",
    Label.NSFA_KEYWORDS_HIGH_PRECISION: "Words that advertisers avoid",
    Label.NSFA_LIMITED_INVENTORY: "For some advertisers only",
    Label.NSFA_COMMUNITY_NOTE: "A note by readers",
    Label.DO_NOT_AMPLIFY: "Not recommended to others",
}


class LabelSource(StrEnum):
    """Who put a label on a post."""

    GROX = "grox"
    MODERATOR = "moderator"
    REPORTS = "reports"
    AUTHOR = "author"


class AnnotationState(StrEnum):
    """How a plan ended for a post. NOT_SCORED: no model here can judge the post."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_SCORED = "not_scored"


class ReportReason(StrEnum):
    """What a person can report a post or an account for."""

    SPAM = "spam"
    ABUSE = "abuse"
    HATE = "hate"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    SEXUAL = "sexual"
    CHILD_SAFETY = "child_safety"
    ILLEGAL = "illegal"
    IMPERSONATION = "impersonation"
    OTHER = "other"


class ReportState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class AppealState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


class QueueKind(StrEnum):
    """What waits for moderators."""

    REPORTS = "reports"
    UNSURE = "unsure"
    APPEALS = "appeals"


class ReviewAction(StrEnum):
    """What a moderator did. Every act leaves one row in the audit log."""

    REPORT_UPHELD = "report_upheld"
    REPORT_DISMISSED = "report_dismissed"
    LABEL_APPLIED = "label_applied"
    LABEL_LIFTED = "label_lifted"
    FOUND_HARMLESS = "found_harmless"
    APPEAL_UPHELD = "appeal_upheld"
    APPEAL_REJECTED = "appeal_rejected"
    STRIKE_GIVEN = "strike_given"
    ACCOUNT_SUSPENDED = "account_suspended"
    PICTURE_BLOCKED = "picture_blocked"
    PICTURE_UNBLOCKED = "picture_unblocked"
