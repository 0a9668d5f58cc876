"""The list of forbidden pictures: adding to it, and matching against it before anybody sees a post."""

from typing import BinaryIO

from django.db import transaction
from PIL import Image, UnidentifiedImageError

from accounts.models import User
from moderation.grox.labelling import RULE_BLOCKED_PICTURE
from moderation.models import BlockedPicture, PostLabel
from moderation.services.audit import check_moderator, record
from moderation.services.labels import NewLabel, reconcile_labels
from moderation.types import Label, ReviewAction
from xsocial.kernel import fingerprints, images, metrics, sql
from xsocial.kernel.errors import Invalid

RULE = "media.blocked_picture"
VERSION = "phash_256"
#: Labels that make sense on a picture that was recognised.
LABELS = (
    Label.PDNA,
    Label.CHILD_SAFETY,
    Label.GORE_AND_VIOLENCE_HIGH_PRECISION,
    Label.NSFW_HIGH_PRECISION,
    Label.SPAM,
    Label.COPYRIGHT_WITHHELD,
    Label.DO_NOT_AMPLIFY,
)
# Every pair is compared: an index over near bit strings may miss a match, and this one must not.
_MATCHES = """
SELECT m.post_id, m.id, f.at_ms, b.id, b.label, (f.bits <~> b.bits)::int
  FROM posts_media m
  JOIN posts_mediafingerprint f ON f.media_id = m.id
  JOIN moderation_blockedpicture b ON f.bits <~> b.bits <= %(within)s
 WHERE {condition}
 ORDER BY 6
"""
_OF_POSTS = _MATCHES.format(condition="m.post_id = ANY(%(posts)s::bigint[])")
_OF_PICTURE = _MATCHES.format(condition="m.post_id IS NOT NULL AND b.id = %(picture)s")


def fingerprint_of(file: BinaryIO) -> str:
    """The fingerprint of a picture file. Raises Invalid for a broken one and for one too plain to be recognised."""
    images.check_size(file, images.MAX_BYTES)
    try:
        bits = fingerprints.fingerprint(Image.open(file, formats=images.FORMATS))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Invalid("This file is not a sound picture.", extra={"field": "file"}) from error
    if bits is None:
        raise Invalid("This picture is too plain to be recognised again.", extra={"field": "file"})
    return bits


@transaction.atomic
def block_picture(
    *, bits: str, label: Label = Label.PDNA, note: str = "", moderator: User | None = None
) -> tuple[BlockedPicture, int]:
    """Put a fingerprint on the list and its label on the posts that show it already; returns how many they are.

    `moderator` None: the command line. Raises Invalid for a label that is none of `LABELS`.
    """
    if label not in LABELS:
        raise Invalid(f"A blocked picture cannot mean {label}.", extra={"field": "label"})
    if moderator:
        check_moderator(moderator)
    picture, _ = BlockedPicture.objects.update_or_create(
        bits=bits, defaults={"label": label, "note": note[:200], "added_by": moderator}
    )
    shown_in = {row[0] for row in sql.rows(_OF_PICTURE, {"within": fingerprints.SAME_WITHIN, "picture": picture.pk})}
    for post_id in sorted(shown_in):
        screen_pictures(post_id)
    if moderator:
        record(moderator, ReviewAction.PICTURE_BLOCKED, label=label, note=f"{picture}: {note}"[:1000])
    return picture, len(shown_in)


@transaction.atomic
def unblock_picture(picture: BlockedPicture, *, moderator: User | None = None) -> int:
    """Take a fingerprint off the list, and its label off the posts that show it; returns how many they are."""
    if moderator:
        check_moderator(moderator)
        record(moderator, ReviewAction.PICTURE_UNBLOCKED, label=picture.label, note=f"{picture}: {picture.note}")
    shown_in = {row[0] for row in sql.rows(_OF_PICTURE, {"within": fingerprints.SAME_WITHIN, "picture": picture.pk})}
    picture.delete()
    for post_id in sorted(shown_in):
        screen_pictures(post_id)
    return len(shown_in)


@transaction.atomic
def screen_pictures(post_id: int) -> list[Label]:
    """Label a post by the forbidden pictures it shows, the closest match of each label; returns the labels."""
    found = sql.rows(_OF_POSTS, {"within": fingerprints.SAME_WITHIN, "posts": sql.bigints([post_id])})
    wanted: dict[str, NewLabel] = {}
    for _, media_id, at_ms, picture_id, label, distance in found:
        evidence = {"picture": f"attachment {media_id}", "blocked picture": picture_id, "bits that differ": distance}
        if at_ms:
            evidence["at"] = f"{at_ms / 1000:.1f} s"
        wanted.setdefault(label, _label(label, distance, evidence))
    if not wanted and not PostLabel.objects.filter(post_id=post_id, rule=RULE, lifted_at=None).exists():
        return []
    reconcile_labels({post_id: wanted.values()}, rules=RULE)
    if wanted:
        metrics.counter("grox_blocked_pictures", "Posts that show a forbidden picture").inc()
    return [new.label for new in wanted.values()]


def _label(label: str, distance: int, evidence: dict[str, object]) -> NewLabel:
    score = round(1 - distance / fingerprints.BITS, 3)
    return NewLabel(Label(label), RULE, RULE_BLOCKED_PICTURE, VERSION, score=score, evidence=evidence)
