"""The steps that bring in what was found in attachments. Looking into them is done elsewhere, once a file."""

from moderation.grox.engine import Task
from moderation.grox.media.models import SPEECH
from moderation.grox.payload import Context
from xsocial.kernel import metrics

#: Nothing here judges it in pictures, so advertisers never hear an unreserved all-clear of them.
UNJUDGED_IN_PICTURES = "no model here judges violence in pictures"


class HydrateMedia(Task):
    """What of the attachments nobody has judged, and by which models the rest was."""

    attempts = 1

    def run(self, context: Context) -> None:
        document = context.document
        context.unscored_media = document.unscored_media
        if document.has_media and not document.unscored_media:
            context.doubt = UNJUDGED_IN_PICTURES
        for attachment in document.media:
            context.versions.update({name: made for name, made in attachment.versions.items() if name != SPEECH})
            outcome = "unread" if not attachment.is_read else "not_scored" if attachment.not_scored else "scored"
            metrics.counter("grox_media", "Attachments in plans", ("kind", "outcome")).labels(
                attachment.kind, outcome
            ).inc()


class Transcribe(Task):
    """Words spoken in videos. Pictures and moving pictures have none, a silent video neither; none is a failure."""

    attempts = 1

    def run(self, context: Context) -> None:
        videos = [attachment for attachment in context.document.media if attachment.kind == "video"]
        for video in videos:
            if video.transcript:
                context.versions[SPEECH] = video.versions.get(SPEECH, "")
        outcome = "no_video" if not videos else "speech" if any(v.transcript for v in videos) else "no_speech"
        metrics.counter("grox_asr", "Posts by what is spoken in them", ("outcome",)).labels(outcome).inc()
