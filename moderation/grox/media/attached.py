"""The attachments of posts with what was found in them, as the plans read it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from posts.models import Media

NOT_READ = "media: not read yet"
NO_FILE = "media"


@dataclass(frozen=True)
class Attachment:
    """One picture or video. `not_scored` says what nothing here could judge of it; empty when all was."""

    kind: str
    is_read: bool = False
    writing: str = ""
    transcript: str = ""
    nudity: float | None = None
    not_scored: str = ""
    versions: dict[str, str] = field(default_factory=dict)


def attachments_of(post_ids: Iterable[int]) -> dict[int, tuple[Attachment, ...]]:
    """The attachments of posts, in their order. One query, none for no posts."""
    wanted = list(post_ids)
    if not wanted:
        return {}
    found: dict[int, list[Attachment]] = defaultdict(list)
    for row in Media.objects.filter(post_id__in=wanted).select_related("reading"):
        found[row.post_id or 0].append(_attachment(row))
    return {post_id: tuple(rows) for post_id, rows in found.items()}


def _attachment(row: Media) -> Attachment:
    reading = getattr(row, "reading", None)
    if reading is None:
        return Attachment(row.kind)
    return Attachment(
        kind=row.kind,
        is_read=True,
        writing=reading.writing,
        transcript=reading.transcript,
        nudity=reading.nudity,
        not_scored=reading.not_scored,
        versions=reading.versions,
    )


def unscored(attachments: Iterable[Attachment]) -> str:
    """Why attachments as a whole are not scored; empty when every part of each was judged."""
    rows = list(attachments)
    if not rows:
        return NO_FILE
    if not all(row.is_read for row in rows):
        return NOT_READ
    reasons = dict.fromkeys(row.not_scored for row in rows if row.not_scored)
    return f"media: {'; '.join(reasons)}" if reasons else ""


def words_in(attachments: Iterable[Attachment]) -> str:
    """What is said and written in attachments."""
    rows = list(attachments)
    return "\n".join(filter(None, [*(row.transcript for row in rows), *(row.writing for row in rows)]))
