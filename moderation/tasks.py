"""Background work of moderation. Tasks carry ids, may run twice, and are redone when a worker dies."""

from datetime import timedelta

from celery import Task, shared_task
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation import services
from moderation.grox import in_flight, run
from moderation.grox.embedders import minilm
from moderation.grox.payload import BATCH, Stream
from moderation.models import PostAnnotation
from moderation.types import AnnotationState
from posts.models import Post, PostEdit
from xsocial.kernel import clock, metrics

MAX_ATTEMPTS = 3
BACKOFF_S = 2.0
SWEEP_EVERY_S = 60.0
SWEEP_AFTER_S = 60.0  # younger posts are probably being looked at just now
SWEEP_BACK = timedelta(days=7)
SWEEP_LIMIT = 2_000
SWEEP_MEDIA = 20  # a minute: they are looked into one after the other
PLAN = "safety_ptos"  # the plan that looks at every post

BEAT = {
    "moderation-recover": {
        "task": "moderation.recover",
        "schedule": SWEEP_EVERY_S,
        "options": {"queue": "grox.recovery", "expires": SWEEP_EVERY_S},
    }
}


def max_attempts() -> int:
    """How often a failing post is tried."""
    return int(getattr(settings, "GROX_MAX_ATTEMPTS", MAX_ATTEMPTS))


@shared_task(bind=True, name="moderation.analyze_posts", acks_late=True, soft_time_limit=300)
def analyze_posts(self: Task, post_ids: list[int], *, stream: str = Stream.REALTIME, attempt: int = 0) -> int:
    """Run the plans over a batch; posts that failed are tried again together. Returns how many succeeded."""
    run_id = self.request.id or ""
    with minilm.one_core():
        results = run.analyze(post_ids, stream=Stream(stream), run_id=run_id, attempt=attempt)
    in_flight.end(run_id)
    failed = [result.post_id for result in results if not result.is_success]
    if failed and attempt + 1 < max_attempts():
        analyze_posts.apply_async(
            [failed], {"stream": stream, "attempt": attempt + 1}, countdown=BACKOFF_S * 2**attempt
        )
    elif failed:
        metrics.counter("grox_final_failures", "Posts given up", ("stream",)).labels(stream).inc(len(failed))
    return len(results) - len(failed)


@shared_task(name="moderation.read_media", acks_late=True, soft_time_limit=300)
def read_media(media_id: int) -> None:
    """Look into an attachment; the post that shows it, if there is one already, is judged anew."""
    post_id = services.read_media(media_id)
    if post_id:
        analyze_posts.apply_async([[post_id]], {"stream": Stream.MEDIA_READ.value})


@shared_task(name="moderation.recover", acks_late=True)
def recover() -> int:
    """Find posts and attachments that were never analysed to an end and enqueue them; returns how many posts."""
    for media_id in services.unread_media().values_list("pk", flat=True)[:SWEEP_MEDIA]:
        read_media.delay(media_id)
    if crossed := services.waiting_in_vain():
        analyze_posts.apply_async([crossed[:BATCH]], {"stream": Stream.MEDIA_READ.value}, queue="grox.recovery")
    post_ids = list(unanalyzed()[:SWEEP_LIMIT])
    for start in range(0, len(post_ids), BATCH):
        analyze_posts.apply_async(
            [post_ids[start : start + BATCH]], {"stream": Stream.RECOVERY.value}, queue="grox.recovery"
        )
    metrics.counter("grox_recovered", "Posts found by the sweep").inc(len(post_ids))
    return len(post_ids)


def unanalyzed() -> QuerySet[Post, int]:
    """Ids of live posts, oldest first, whose present wording has no finished or finally failed policy screen."""
    now = clock.now()
    recent = (now - SWEEP_BACK, now - timedelta(seconds=SWEEP_AFTER_S))
    ended = Exists(
        PostAnnotation.objects.filter(
            Q(state__in=[AnnotationState.DONE, AnnotationState.NOT_SCORED])
            | Q(state=AnnotationState.FAILED, attempt__gte=max_attempts() - 1),
            Q(created_at__gte=OuterRef("edited_at")) | Q(post__edited_at=None),
            post=OuterRef("pk"),
            plan=PLAN,
        )
    )
    rows = Post.objects.filter(~ended, repost_of=None, deleted_at=None).values_list("pk", flat=True)
    edits = PostEdit.objects.filter(replaced_at__range=recent)
    new = rows.filter(edited_at=None, created_at__range=recent)
    edited = rows.filter(pk__in=edits.values("post"), edited_at__range=recent)
    return new.union(edited).order_by("id")
