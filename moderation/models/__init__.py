"""Tables of moderation: what was found, what follows from it, and how it was reviewed."""

from moderation.models.annotation import PostAnnotation, PostFlags
from moderation.models.label import PostLabel
from moderation.models.media import BlockedPicture, MediaReading, PostSummary
from moderation.models.review import Appeal, Report, ReviewDecision, Strike

__all__ = [
    "Appeal",
    "BlockedPicture",
    "MediaReading",
    "PostAnnotation",
    "PostFlags",
    "PostLabel",
    "PostSummary",
    "Report",
    "ReviewDecision",
    "Strike",
]
