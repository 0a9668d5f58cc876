"""From findings to flags, and from flags and violations to safety labels. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.grox.classifiers.schemas import BoolMetadata, Violation
from moderation.types import Label

RULE_SUITABILITY = 1400
RULE_REVIEWED = 1401
RULE_NOT_SCORED = 1402
RULE_POLICY = 1410
RULE_REPLY_SPAM = 1430
RULE_BLOCKED_PICTURE = 1440


@dataclass(frozen=True)
class Proposal:
    """A label that a rule wants on a post. `evidence` holds classes and scores, never the text."""

    label: Label
    rule: str
    rule_id: int
    score: float | None = None
    evidence: tuple[tuple[str, str], ...] = ()


def flags_of(violations: Iterable[Violation]) -> BoolMetadata:
    """The flags that a post's violations amount to."""
    found = {(violation.category, violation.policy) for violation in violations}
    categories = {category for category, _ in found}
    return BoolMetadata(
        is_gore="ViolentMedia" in categories,
        is_nsfw=("AdultContent", "SexualHard") in found,
        is_soft_nsfw=("AdultContent", "SexualSoft") in found,
        is_adult="AdultContent" in categories,
        is_spam=bool(categories & {"Spam", "IllegalAndRegulatedBehaviors"}),
        is_violent="ViolentSpeech" in categories,
        is_hateful="HateOrAbuse" in categories,
        is_self_harm="SuicideOrSelfHarm" in categories,
    )


def suitability(flags: BoolMetadata, *, is_borderline: bool) -> Label:
    """What advertisers are told about a fully scored post."""
    if flags.is_nsfw or flags.is_gore or flags.is_spam or flags.is_hateful or flags.is_self_harm:
        return Label.GROK_NSFA
    if flags.is_soft_nsfw or flags.is_violent or is_borderline:
        return Label.GROK_NSFA_LIMITED
    return Label.GROK_SFA


def policy_labels(
    violations: Iterable[Violation], *, has_media: bool, language: str, text_hash: str, is_exempt: bool = False
) -> list[Proposal]:
    """The labels that enforced violations put on a post; PTOS_REVIEWED is always the last.

    `is_exempt`: authors of high reputation are spared single judgements of a machine, except on
    violent and adult content and on asking for engagement.
    """
    proposals: dict[Label, Proposal] = {}
    for violation in violations:
        for label in _labels_of(violation, has_media=has_media, language=language, is_exempt=is_exempt):
            proposals.setdefault(label, _proposal(label, violation, text_hash))
    return [*proposals.values(), Proposal(Label.PTOS_REVIEWED, "policy.reviewed", RULE_REVIEWED)]


def _proposal(label: Label, violation: Violation, text_hash: str) -> Proposal:
    return Proposal(
        label=label,
        rule=f"policy.{violation.category}.{violation.policy}",
        rule_id=RULE_POLICY,
        score=violation.score / 100,
        evidence=(
            ("category", violation.category),
            ("policy", violation.policy),
            ("models", violation.reason),
            ("text", text_hash),
        ),
    )


def _labels_of(violation: Violation, *, has_media: bool, language: str, is_exempt: bool) -> tuple[Label, ...]:
    """One row of the label table."""
    match violation.category, violation.policy:
        case "ViolentMedia", _:
            return (Label.GORE_AND_VIOLENCE_HIGH_PRECISION,) if has_media else ()
        case "AdultContent", "SexualHard":
            return (Label.NSFW_HIGH_RECALL, Label.NSFW_HIGH_PRECISION) if has_media else (Label.NSFW_HIGH_RECALL,)
        case "AdultContent", "SexualSoft":
            return (Label.SOFT_NSFW,)
        case "Spam", "EngagementBaiting" | "EngagementFarming":
            return (Label.SPAM_HIGH_RECALL,)
        case _ if is_exempt:
            return ()
        case "Spam" | "IllegalAndRegulatedBehaviors", _:
            return (Label.SPAM_HIGH_RECALL,)
        case "HateOrAbuse", "InsultsWithTarget":
            return (Label.FOSNR_ABUSE_INSULTS,) if language == "en" else ()
        case "HateOrAbuse", _:
            return (Label.FOSNR_HATEFUL_CONDUCT,)
        case "ViolentSpeech", _:
            return (Label.FOSNR_VIOLENT_SPEECH,)
        case "SuicideOrSelfHarm", "Encouraging" | "Depiction" | "Engaging":
            return (Label.SELF_HARM,)
        case "ChildSafety", _:
            return (Label.CHILD_SAFETY,)
        case _:
            return ()


def suitability_label(flags: BoolMetadata, *, is_borderline: bool) -> Proposal:
    """The advertisers' label as a proposal."""
    return Proposal(suitability(flags, is_borderline=is_borderline), "safety.suitability", RULE_SUITABILITY)


def not_scored_label(reason: str) -> Proposal:
    """Say openly that no model here could judge the post."""
    return Proposal(Label.GROK_NOT_SCORED, "not_scored", RULE_NOT_SCORED, evidence=(("reason", reason),))


def limited_label(reason: str) -> Proposal:
    """Advertisers are told of what no model judges, however harmless the rest."""
    return Proposal(Label.GROK_NSFA_LIMITED, "safety.limited", RULE_SUITABILITY, evidence=(("reason", reason),))


def reply_spam_label(score: float) -> Proposal:
    """A reply that the spam plan found to be spam."""
    return Proposal(Label.RISKY_HIGH_VIZ_REPLY, "reply.spam", RULE_REPLY_SPAM, score=score)
