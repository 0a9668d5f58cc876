"""What an author may know about the labels on a post: who, why, what it does, and what can be done about it."""

from dataclasses import dataclass

from moderation.models import MediaReading, PostLabel
from moderation.types import ADVERTISER_LABELS, LABEL_WORDS, STATUS_LABELS, AppealState, Label, LabelSource
from moderation.visibility.levels import RULES, SafetyLevel
from moderation.visibility.types import Action
from xsocial.kernel import clock

SURFACES = {
    SafetyLevel.TIMELINE_HOME: "to followers",
    SafetyLevel.TIMELINE_HOME_RECOMMENDATIONS: "to others",
}
EFFECTS = {
    Action.ALLOW: "shown",
    Action.INTERSTITIAL: "shown behind a warning",
    Action.DROP: "not shown",
}
SOURCES = {
    LabelSource.GROX: "Our classifiers",
    LabelSource.MODERATOR: "A moderator",
    LabelSource.REPORTS: "Reports of several people",
    LabelSource.AUTHOR: "The author",
}
HISTORY = 20


@dataclass(frozen=True)
class LabelCard:
    """One label with everything its author may know. `appeal` is the state of an objection, if any."""

    row: PostLabel
    is_active: bool
    is_restricting: bool
    effects: tuple[tuple[str, str], ...]
    appeal: str
    can_appeal: bool

    @property
    def words(self) -> str:
        """What it says of the post."""
        return LABEL_WORDS.get(self.row.label, self.row.label)

    @property
    def found_by(self) -> str:
        """Who put it on, and how sure they were."""
        who, score = SOURCES[LabelSource(self.row.source)], self.row.score
        return who if score is None else f"{who}, {score:.0%} sure"


def label_cards(post_id: int) -> list[LabelCard]:
    """The labels that restrict a post or did so, the latest first; marks of progress are left out."""
    rows = (
        PostLabel.objects.filter(post_id=post_id)
        .exclude(label__in=STATUS_LABELS)
        .select_related("appeal")
        .order_by("-applied_at", "-pk")[:HISTORY]
    )
    return [_card(row) for row in rows]


def why_not_scored(post_id: int) -> str:
    """What nothing here could judge of a post; empty when all was judged."""
    row = PostLabel.objects.filter(post_id=post_id, label=Label.GROK_NOT_SCORED, lifted_at=None).first()
    return str(row.evidence.get("reason", "")) if row else ""


def num_posts_with_unscored_media() -> int:
    """Live posts with an attachment of which nothing here could judge some part."""
    rows = MediaReading.objects.exclude(not_scored="").filter(media__post__deleted_at=None, media__post__isnull=False)
    return rows.values("media__post").distinct().count()


def _card(row: PostLabel) -> LabelCard:
    is_active = row.lifted_at is None and (row.expires_at is None or row.expires_at > clock.now())
    appeal = row.appeal.state if hasattr(row, "appeal") else ""
    return LabelCard(
        row=row,
        is_active=is_active,
        is_restricting=row.label not in ADVERTISER_LABELS,
        effects=effects_of(row.label),
        appeal=AppealState(appeal).name.title() if appeal else "",
        can_appeal=is_active and not appeal,
    )


def effects_of(label: str) -> tuple[tuple[str, str], ...]:
    """What a label does on each surface, in words: the severest rule that reads it."""
    if label in ADVERTISER_LABELS:
        return (("beside it", "few or no ads"),)
    return tuple(
        (words, EFFECTS[max((rule.action for rule in RULES[level] if label in rule.labels), default=Action.ALLOW)])
        for level, words in SURFACES.items()
    )
