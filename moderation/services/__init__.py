"""The writing side of moderation: labels, reports, appeals, and screening in bulk."""

from moderation.services.appeals import appeal, decide_appeal
from moderation.services.audit import is_moderator
from moderation.services.blocklist import block_picture, fingerprint_of, screen_pictures, unblock_picture
from moderation.services.embeddings import begin_version, embed_missing, serve_version, without_vector
from moderation.services.labels import NewLabel, apply_label, doubt, lift_label, reconcile_labels
from moderation.services.media import read_media, unread_media, waiting_in_vain
from moderation.services.queue import decide_many
from moderation.services.reports import decide_report, report, withdraw_report
from moderation.services.screening import PLAN, Screened, bulk_screen, embed_texts

__all__ = [
    "PLAN",
    "NewLabel",
    "Screened",
    "appeal",
    "apply_label",
    "begin_version",
    "block_picture",
    "bulk_screen",
    "decide_appeal",
    "decide_many",
    "decide_report",
    "doubt",
    "embed_missing",
    "embed_texts",
    "fingerprint_of",
    "is_moderator",
    "lift_label",
    "read_media",
    "reconcile_labels",
    "report",
    "screen_pictures",
    "serve_version",
    "unblock_picture",
    "unread_media",
    "waiting_in_vain",
    "withdraw_report",
    "without_vector",
]
