"""How safe a post is to stand beside an ad, from the labels on it.

Upstream twin: `models/brand_safety.rs`. Labels come in as plain names, because moderation writes them and
ads must not know moderation: the feed reads there and asks here. Everything fails closed: what has not been
looked at, or could not be looked up, is medium risk, and then no ad stands beside it.
"""

from collections.abc import Collection, Iterable, Mapping

from ads.blending.types import Verdict

# Sets are data on purpose: a later release only extends them.
MEDIUM_RISK_LABELS = frozenset(
    {
        "NSFW_HIGH_PRECISION",
        "NSFW_HIGH_RECALL",
        "NSFA_HIGH_PRECISION",
        "NSFA_KEYWORDS_HIGH_PRECISION",
        "GORE_AND_VIOLENCE_HIGH_PRECISION",
        "NSFW_REPORTED_HEURISTICS",
        "GORE_AND_VIOLENCE_REPORTED_HEURISTICS",
        "NSFW_CARD_IMAGE",
        "DO_NOT_AMPLIFY",
        "NSFA_COMMUNITY_NOTE",
        "PDNA",
        "EGREGIOUS_NSFW",
        "GROK_NSFA",
        "NSFW_TEXT",
    }
)
LOW_RISK_LABELS = frozenset({"NSFA_LIMITED_INVENTORY", "GROK_NSFA_LIMITED", "NSFA_HIGH_RECALL"})
SCORED_LABELS = frozenset({"GROK_SFA", "GROK_NSFA_LIMITED"})
REVIEWED_LABEL = "PTOS_REVIEWED"
EXPORTED_LABELS = MEDIUM_RISK_LABELS | LOW_RISK_LABELS | {"GROK_SFA"}
"""Labels with a public counterpart; all others stay inside."""

_RULE_CATEGORIES = (
    (1000, 1099, "Content"),
    (1100, 1199, "ContentLimited"),
    (1200, 1399, "Safety"),
    (1400, 1499, "Grok"),
    (1500, 1600, "Quote"),
)


def verdict_of_labels(labels: Collection[str], *, post_id: int, review_cutoff_id: int | None = None) -> Verdict:
    """Verdict for one post; the first rule that fires wins.

    `review_cutoff_id`: posts with this id or a later one also need the review label. None asks for no
    review, which is right until there is a review pipeline.
    """
    present = frozenset(label.upper() for label in labels)
    if present & MEDIUM_RISK_LABELS or not present & SCORED_LABELS:
        return Verdict.MEDIUM_RISK
    if review_cutoff_id is not None and post_id >= review_cutoff_id and REVIEWED_LABEL not in present:
        return Verdict.MEDIUM_RISK
    return Verdict.LOW_RISK if present & LOW_RISK_LABELS else Verdict.SAFE


def verdicts(
    posts: Iterable[tuple[int, int | None]],
    labels: Mapping[int, Collection[str]],
    *,
    failed_ids: Collection[int] = (),
    review_cutoff_id: int | None = None,
) -> list[Verdict | None]:
    """Verdicts for candidates, given as (primary id, quoted id or None), in order.

    The primary id is the reposted post's for a repost. An id absent from `labels` has none. A failed look-up
    of the primary id gives None (the caller's missing verdict); of the quoted id, medium risk.
    """

    def verdict_of(post_id: int) -> Verdict:
        return verdict_of_labels(labels.get(post_id, ()), post_id=post_id, review_cutoff_id=review_cutoff_id)

    def verdict_of_candidate(primary_id: int, quoted_id: int | None) -> Verdict | None:
        if primary_id in failed_ids:
            return None
        if quoted_id is None:
            return verdict_of(primary_id)
        quoted = Verdict.MEDIUM_RISK if quoted_id in failed_ids else verdict_of(quoted_id)
        return max(verdict_of(primary_id), quoted)

    return [verdict_of_candidate(primary_id, quoted_id) for primary_id, quoted_id in posts]


def exported_labels(*label_sets: Collection[str]) -> list[str]:
    """Public labels of a post and its quoted post together, each once, in alphabetical order."""
    return sorted({label.upper() for labels in label_sets for label in labels} & EXPORTED_LABELS)


def rule_category(rule_id: int) -> str:
    """The family a rule action belongs to, for the injection log."""
    return next((name for low, high, name in _RULE_CATEGORIES if low <= rule_id <= high), "Legacy")
