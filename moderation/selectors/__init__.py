"""The reading side of moderation. Every function takes many posts and asks a fixed number of queries."""

from moderation.selectors.labels import labels_for, post_findings, screened
from moderation.selectors.visibility import visibility

__all__ = ["labels_for", "post_findings", "screened", "visibility"]
