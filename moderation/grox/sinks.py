"""Where results are written. Every sink may be repeated: it brings rows to a state, it does not add up."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from accounts.models import Topic
from moderation.grox import labelling, screening
from moderation.grox.classifiers.schemas import (
    BoolMetadata,
    PolicyResult,
    QualityResult,
    ReplyResult,
    TopicsResult,
    Violation,
)
from moderation.grox.disable_rules import DisableRule, holding
from moderation.grox.documents import Document
from moderation.grox.engine import SkipTask, Task
from moderation.grox.labelling import Proposal
from moderation.grox.language import UNDETERMINED
from moderation.grox.media.models import NUDITY
from moderation.grox.payload import Context, PayloadResult, Stream
from moderation.grox.policies import policy_book
from moderation.models import PostAnnotation, PostFlags, PostSummary
from moderation.services.labels import is_settled, lock_flags, new_label, reconcile_labels
from moderation.types import AnnotationState, Label
from posts.events import PostEmbedded
from posts.models import Post, PostEmbedding, PostTopic
from xsocial.kernel import clock, metrics
from xsocial.kernel.event_log import publish

SAFETY_RULES = ("safety.", "not_scored")
POLICY_RULES = ("policy.", *SAFETY_RULES)
REPLY_RULES = ("reply.",)
TRUSTED_FOLLOWERS = 100_000  # authors this large are judged by people, but for the gravest findings


class Sink(Task):
    """Tried three times: its stores may be busy."""

    attempts = 3
    waits = (1.0, 2.0)


class StoreVector(Sink):
    """A content embedding into the store that ranking and search read; announced after commit."""

    disabled_by = (DisableRule.NON_EMBEDDING_PROD,)

    def __init__(self, version: str, *, announces_replies: bool = False) -> None:
        super().__init__()
        self._version, self._announces_replies = version, announces_replies

    @transaction.atomic
    def run(self, context: Context) -> None:
        post_id = context.payload.post_id
        PostEmbedding.objects.update_or_create(
            post_id=post_id, model=self._version, defaults={"vector": context.vector, "created_at": clock.now()}
        )
        if self._announces_replies or not context.document.is_reply:
            publish(PostEmbedded(post_id=post_id, model=self._version, at_ms=clock.now_ms()))


class StoreSummaryVector(StoreVector):
    """The summary that was embedded, and its vector."""

    @transaction.atomic
    def run(self, context: Context) -> None:
        PostSummary.objects.update_or_create(
            post_id=context.payload.post_id,
            version=context.versions["summary"],
            defaults={"text": context.results["summary"].text, "created_at": clock.now()},
        )
        super().run(context)


def store_languages(documents: Iterable[Document]) -> None:
    """Fill in the language of posts whose authors did not say it."""
    if holding((DisableRule.NON_EMBEDDING_PROD,)):
        return
    found: dict[str, list[int]] = defaultdict(list)
    for document in documents:
        if document.has_text and document.language != UNDETERMINED:
            found[document.language].append(document.post_id)
    for code, post_ids in found.items():
        Post.objects.filter(pk__in=post_ids, language="").update(language=code)


class WriteSafety(Sink):
    """Flags of the safety screen, and what advertisers are told."""

    disabled_by = (DisableRule.NON_PROD,)

    @transaction.atomic
    def run(self, context: Context) -> None:
        if "safety" not in context.results:
            _say_not_scored(context)
            return
        _leave_to_people(context)
        safety = context.results["safety"]
        merged = merge_flags(context.payload.post_id, safety.flags, is_borderline=safety.is_borderline)
        _reconcile(context, [_verdict(context, merged)], SAFETY_RULES)


class WritePolicy(Sink):
    """Violations as labels, flags merged into the stored ones, PTOS_REVIEWED last."""

    disabled_by = (DisableRule.NON_PTOS_PROD,)

    @transaction.atomic
    def run(self, context: Context) -> None:
        nudity, _ = screening.nudity_of(context.document)
        if "policy" not in context.results and nudity is None:
            _say_not_scored(context)
            return
        _leave_to_people(context)
        result: PolicyResult = context.results.get("policy", PolicyResult())
        document = context.document
        if nudity and (nudity.category, nudity.policy) not in {(v.category, v.policy) for v in result.violations}:
            result = result.model_copy(update={"violations": [*result.violations, nudity]})
            _annotate_nudity(context, nudity)
        merged = merge_flags(document.post_id, labelling.flags_of(result.violations), is_borderline=bool(result.review))
        labels = labelling.policy_labels(
            result.violations,
            has_media=document.has_media,
            language=document.language,
            text_hash=document.text_hash,
            is_exempt=_is_trusted(document),
        )
        for violation in result.violations:
            metrics.counter("grox_violations", "Violations found", ("category", "policy")).labels(
                violation.category, violation.policy
            ).inc()
        _reconcile(context, [_verdict(context, merged), *labels], POLICY_RULES)


class WriteTopics(Sink):
    """Replaces the topics that were found before; those approved by a person stay."""

    disabled_by = (DisableRule.NON_PROD,)

    @transaction.atomic
    def run(self, context: Context) -> None:
        found: TopicsResult | None = context.results.get("topics")
        if found is None:
            raise SkipTask("not_scored")
        post_id = context.payload.post_id
        PostTopic.objects.filter(post_id=post_id, is_curated=False).exclude(topic__in=found.topics).delete()
        known = Topic.objects.filter(pk__in=found.topics).values_list("pk", flat=True)
        PostTopic.objects.bulk_create(
            (PostTopic(post_id=post_id, topic_id=pk, confidence=found.topics[pk]) for pk in known),
            ignore_conflicts=True,
        )


class MarkQuality(Sink):
    """Keeps with a post that strangers gain by it, and the flags that the same look found."""

    disabled_by = (DisableRule.NON_PROD,)

    @transaction.atomic
    def run(self, context: Context) -> None:
        quality: QualityResult | None = context.results.get("quality")
        if quality is None:
            raise SkipTask("not_scored")
        flags = quality.flags
        if is_settled(context.payload.post_id, context.document.text_hash):
            flags = BoolMetadata(is_high_quality=flags.is_high_quality)
        if any(flags.model_dump().values()):
            merge_flags(context.payload.post_id, flags, is_borderline=False)


class WriteReplyRanking(Sink):
    """A reply of score 0 is kept from being shown prominently; the score itself stays with the annotation."""

    disabled_by = (DisableRule.NON_PROD,)

    def run(self, context: Context) -> None:
        reply: ReplyResult | None = context.results.get("reply")
        if reply is None:
            raise SkipTask("not_scored")
        wanted = [labelling.reply_spam_label(1.0)] if reply.score == 0 else []
        _reconcile(context, wanted, REPLY_RULES)


class WriteReplySpam(Sink):
    """A spam reply is kept from being shown prominently."""

    disabled_by = (DisableRule.NON_PROD,)

    def run(self, context: Context) -> None:
        spam = context.results.get("spam")
        if spam is None:
            raise SkipTask("not_scored")
        wanted = [labelling.reply_spam_label(spam.score)] if spam.decision == "spam" else []
        _reconcile(context, wanted, REPLY_RULES)


def _annotate_nudity(context: Context, found: Violation) -> None:
    """A finding of the picture model alone has an annotation of its own."""
    payload = context.payload
    row = PostAnnotation(
        post_id=payload.post_id,
        plan=NUDITY,
        state=AnnotationState.DONE,
        stream=payload.stream,
        attempt=payload.attempt,
        run_id=payload.run_id,
        result={"policy": {"violations": [found.model_dump()]}},
        versions={NUDITY: found.reason},
    )
    PostAnnotation.objects.bulk_create([row], ignore_conflicts=True)


def _leave_to_people(context: Context) -> None:
    """Stop where a person has upheld an appeal about this very wording."""
    if is_settled(context.payload.post_id, context.document.text_hash):
        raise SkipTask("settled by an appeal")


def _say_not_scored(context: Context) -> None:
    _reconcile(context, [labelling.not_scored_label(context.not_scored)], POLICY_RULES)


def _verdict(context: Context, flags: PostFlags) -> Proposal:
    """What advertisers are told: an all-clear needs every part of the post judged."""
    found = BoolMetadata(**{name: getattr(flags, name) for name in BoolMetadata.model_fields})
    proposal = labelling.suitability_label(found, is_borderline=flags.is_borderline)
    if proposal.label is not Label.GROK_SFA:
        return proposal
    if context.not_scored:
        return labelling.not_scored_label(context.not_scored)
    return labelling.limited_label(context.doubt) if context.doubt else proposal


def _is_trusted(document: Document) -> bool:
    return document.author is not None and document.author.num_followers >= TRUSTED_FOLLOWERS


def merge_flags(post_id: int, flags: BoolMetadata, *, is_borderline: bool) -> PostFlags:
    """Add flags to the stored ones; what was true stays true. Needs a transaction."""
    row = lock_flags(post_id)
    for name, value in flags.model_dump().items():
        if value and not getattr(row, name):
            metrics.counter("grox_flags", "Posts on which a flag was found", ("flag",)).labels(name).inc()
    found = {**flags.model_dump(), "is_borderline": is_borderline}
    for name, value in found.items():
        setattr(row, name, getattr(row, name) or value)
    row.updated_at = clock.now()
    row.save()
    return row


def _reconcile(context: Context, proposals: Iterable[Proposal], rules: tuple[str, ...]) -> None:
    version = policy_book().version
    proposals = list(proposals)
    reconcile_labels(post_id=context.payload.post_id, wanted=[new_label(p, version) for p in proposals], rules=rules)
    for proposal in proposals:
        metrics.counter("grox_labels", "Labels proposed", ("label",)).labels(proposal.label).inc()


def annotate(results: Iterable[PayloadResult], *, stream: Stream, attempt: int, run_id: str = "") -> None:
    """Append what each plan found or why it failed. Plans that had nothing to do leave no row.

    A message that was delivered twice, because its worker died before saying so, adds nothing. On a
    developer's machine nothing is published.
    """
    if holding((DisableRule.LOCAL, DisableRule.DEV)):
        return
    rows = [
        PostAnnotation(
            post_id=result.post_id,
            plan=plan.plan,
            state=plan.state,
            stream=stream,
            attempt=attempt,
            run_id=run_id,
            result=_as_json(plan.results),
            versions=plan.versions,
            reason=plan.reason,
            milliseconds=plan.milliseconds,
        )
        for result in results
        for plan in result.plans
        if plan.state is not AnnotationState.SKIPPED
    ]
    try:
        with transaction.atomic():
            PostAnnotation.objects.bulk_create(rows, ignore_conflicts=True)
    except IntegrityError:
        # a post of the batch was removed meanwhile: keep the others
        existing = set(Post.objects.filter(pk__in={row.post_id for row in rows}).values_list("pk", flat=True))
        PostAnnotation.objects.bulk_create((row for row in rows if row.post_id in existing), ignore_conflicts=True)


def _as_json(results: dict) -> dict:
    return {name: value.model_dump() for name, value in results.items()}
