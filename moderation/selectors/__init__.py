"""The reading side of moderation. Every function takes many posts and asks a fixed number of queries."""

from moderation.selectors.accountability import label_cards, num_posts_with_unscored_media, why_not_scored
from moderation.selectors.dashboard import dashboard
from moderation.selectors.labels import labels_for, lowered_replies, post_findings, screened
from moderation.selectors.queue import entries, waiting
from moderation.selectors.visibility import visibility, visibility_by_level
from moderation.selectors.voices import voices

__all__ = [
    "dashboard",
    "entries",
    "label_cards",
    "labels_for",
    "lowered_replies",
    "num_posts_with_unscored_media",
    "post_findings",
    "screened",
    "visibility",
    "visibility_by_level",
    "voices",
    "waiting",
    "why_not_scored",
]
