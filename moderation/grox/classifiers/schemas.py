"""What classifiers answer, whichever back end answered: validated, with the versions that made it."""

from pydantic import BaseModel, ConfigDict, Field

MIN_BANGER_QUALITY = 0.4
TOPIC_DOMAIN = 236  # as published: the domain of taxonomy topics among all entities


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpamResult(_Result):
    """Whether a text is spam: `decision` is "spam" or "ham"."""

    decision: str = Field(pattern="^(spam|ham)$")
    score: float = Field(ge=0, le=1)
    reason: str = ""


class SummaryResult(_Result):
    """A text that stands for the post in an embedding."""

    text: str


class TopicsResult(_Result):
    """Topics by id with their confidence in [0, 1]."""

    topics: dict[int, float] = Field(default_factory=dict)


class BoolMetadata(_Result):
    """The flags of a screened post: the published seven, hate and self-harm."""

    is_high_quality: bool = False
    is_nsfw: bool = False
    is_gore: bool = False
    is_violent: bool = False
    is_spam: bool = False
    is_soft_nsfw: bool = False
    is_adult: bool = False
    is_hateful: bool = False
    is_self_harm: bool = False


class Entity(_Result):
    """A topic as other systems name it: a category without a parent is its own category."""

    domain: int = TOPIC_DOMAIN
    id: int
    category: int
    score: float = Field(ge=0, le=1)


class QualityResult(_Result):
    """What a post is worth to strangers (0 to 1), what it is about, and whether it looks mass-produced (3).

    `has_minor_score` and `is_image_editable` are about pictures; who cannot see them says 0 and False.
    """

    quality_score: float = Field(ge=0, le=1)
    description: str = ""
    tags: tuple[str, ...] = ()
    topics: dict[int, float] = Field(default_factory=dict)
    flags: BoolMetadata = BoolMetadata()
    is_image_editable: bool = False
    slop_score: int = Field(default=1, ge=1, le=3)
    has_minor_score: float = Field(default=0, ge=0, le=1)

    @property
    def is_banger(self) -> bool:
        """Good enough to be recommended for itself."""
        return self.quality_score >= MIN_BANGER_QUALITY


class ContentAnalysis(_Result):
    """One finding as it is published: its category, whether it holds, how strongly, and what the post is about."""

    category: str
    positive: bool
    score: float = Field(ge=0, le=1)
    summary: str = ""
    entities: tuple[Entity, ...] = ()


class ContentAnalyses(_Result):
    """The findings of one plan run."""

    found: tuple[ContentAnalysis, ...]


class ReplyResult(_Result):
    """How good a reply is: 0 spam, 1 poor, 2 ordinary, 3 good."""

    score: int = Field(ge=0, le=3)
    reason: str = ""


class Violation(_Result):
    """One policy category found in a post, with its policy type; scores run 0 to 100."""

    category: str
    policy: str
    score: float = Field(ge=0, le=100)
    reason: str = ""


class SafetyResult(_Result):
    """Post safety screen: flags, and whether any of them was close to its threshold."""

    flags: BoolMetadata
    is_borderline: bool = False
    scores: dict[str, float] = Field(default_factory=dict)


class PolicyResult(_Result):
    """Violations found by the policy screen, highest score first; those to review but not enforce apart."""

    violations: list[Violation] = Field(default_factory=list)
    review: list[Violation] = Field(default_factory=list)
