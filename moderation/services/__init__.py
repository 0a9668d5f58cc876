"""The writing side of moderation: labels, reports, appeals, and screening in bulk."""

from moderation.services.labels import NewLabel, apply_label, lift_label, reconcile_labels
from moderation.services.screening import Screened, bulk_screen, embed_texts

__all__ = [
    "NewLabel",
    "Screened",
    "apply_label",
    "bulk_screen",
    "embed_texts",
    "lift_label",
    "reconcile_labels",
]
