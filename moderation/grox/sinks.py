"""Where results are written: for all posts of a batch together, with as many statements as for one.

Every sink may be repeated: it brings rows to a state, it does not add up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from django.db import IntegrityError, transaction

from accounts.models import Topic
from moderation.grox import labelling, screening
from moderation.grox.classifiers.schemas import (
    BoolMetadata,
    PolicyResult,
    QualityResult,
    ReplyResult,
    SafetyResult,
    SpamResult,
    Violation,
)
from moderation.grox.disable_rules import DisableRule, holding
from moderation.grox.documents import Document
from moderation.grox.engine import BatchTask
from moderation.grox.labelling import Proposal
from moderation.grox.language import UNDETERMINED
from moderation.grox.media.models import NUDITY
from moderation.grox.payload import Context, PayloadResult, Stream
from moderation.grox.policies import policy_book
from moderation.models import PostAnnotation, PostFlags
from moderation.services.embeddings import store_summaries, store_vectors
from moderation.services.labels import lock_flags, new_label, reconcile_labels, settled
from moderation.types import AnnotationState, Label
from posts.events import PostEmbedded
from posts.models import Post, PostTopic
from xsocial.kernel import clock, metrics
from xsocial.kernel.event_log import publish

SAFETY_RULES = ("safety.", "not_scored")
POLICY_RULES = ("policy.", *SAFETY_RULES)
REPLY_RULES = ("reply.",)
TRUSTED_FOLLOWERS = 100_000  # authors this large are judged by people, but for the gravest findings


class Sink(BatchTask):
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
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        store_vectors(self._version, {context.payload.post_id: context.vector for context in contexts})
        now_ms = clock.now_ms()
        publish(*(
            PostEmbedded(post_id=context.payload.post_id, model=self._version, at_ms=now_ms)
            for context in contexts
            if self._announces_replies or not context.document.is_reply
        ))  # fmt: skip
        return {}


class StoreSummaryVector(StoreVector):
    """The summaries that were embedded, and their vectors."""

    @transaction.atomic
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        store_summaries(
            (context.payload.post_id, context.versions["summary"], context.results["summary"].text)
            for context in contexts
        )
        return super().run_batch(contexts)


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
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        _say_not_scored(context for context in contexts if "safety" not in context.results)
        judged, skipped = _left_to_machines(context for context in contexts if "safety" in context.results)
        safety: dict[int, SafetyResult] = {c.payload.post_id: c.results["safety"] for c in judged}
        merged = merge_flags({post_id: (found.flags, found.is_borderline) for post_id, found in safety.items()})
        _reconcile({c.payload.post_id: [_verdict(c, merged[c.payload.post_id])] for c in judged}, SAFETY_RULES)
        return skipped


class WritePolicy(Sink):
    """Violations as labels, flags merged into the stored ones, PTOS_REVIEWED last."""

    disabled_by = (DisableRule.NON_PTOS_PROD,)

    @transaction.atomic
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        nudity = {c.payload.post_id: screening.nudity_of(c.document)[0] for c in contexts}
        is_judged = {c.payload.post_id: "policy" in c.results or bool(nudity[c.payload.post_id]) for c in contexts}
        _say_not_scored(context for context in contexts if not is_judged[context.payload.post_id])
        judged, skipped = _left_to_machines(context for context in contexts if is_judged[context.payload.post_id])
        seen: list[tuple[Context, Violation]] = []
        found: dict[int, PolicyResult] = {}
        for context in judged:
            result, by_picture = context.results.get("policy", PolicyResult()), nudity[context.payload.post_id]
            if by_picture and (by_picture.category, by_picture.policy) not in _named(result.violations):
                result = result.model_copy(update={"violations": [*result.violations, by_picture]})
                seen.append((context, by_picture))
            found[context.payload.post_id] = result
            _count(result.violations)
        _annotate_nudity(seen)
        merged = merge_flags({
            post_id: (labelling.flags_of(result.violations), bool(result.review)) for post_id, result in found.items()
        })  # fmt: skip
        _reconcile(
            {
                context.payload.post_id: [
                    _verdict(context, merged[context.payload.post_id]),
                    *_policy_labels(context.document, found[context.payload.post_id]),
                ]
                for context in judged
            },
            POLICY_RULES,
        )
        return skipped


class WriteTopics(Sink):
    """Replaces the topics that were found before; those approved by a person stay."""

    disabled_by = (DisableRule.NON_PROD,)

    @transaction.atomic
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        found: dict[int, dict[int, float]] = {
            c.payload.post_id: c.results["topics"].topics for c in contexts if "topics" in c.results
        }
        before = PostTopic.objects.filter(post_id__in=found, is_curated=False).values_list("pk", "post_id", "topic_id")
        stale = [pk for pk, post_id, topic_id in before if topic_id not in found[post_id]]
        if stale:
            PostTopic.objects.filter(pk__in=stale).delete()
        wanted = {topic_id for topics in found.values() for topic_id in topics}
        known = set(Topic.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        PostTopic.objects.bulk_create(
            (
                PostTopic(post_id=post_id, topic_id=topic_id, confidence=confidence)
                for post_id, topics in found.items()
                for topic_id, confidence in topics.items()
                if topic_id in known
            ),
            ignore_conflicts=True,
        )
        return _without(contexts, "topics")


class MarkQuality(Sink):
    """Keeps with a post that strangers gain by it, and the flags that the same look found."""

    disabled_by = (DisableRule.NON_PROD,)

    @transaction.atomic
    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        quality: dict[int, QualityResult] = {
            c.payload.post_id: c.results["quality"] for c in contexts if "quality" in c.results
        }
        by_people = settled({c.payload.post_id: c.document.text_hash for c in contexts})
        flags = {
            post_id: BoolMetadata(is_high_quality=found.flags.is_high_quality) if post_id in by_people else found.flags
            for post_id, found in quality.items()
        }
        merge_flags({post_id: (found, False) for post_id, found in flags.items() if any(found.model_dump().values())})
        return _without(contexts, "quality")


class WriteReplyRanking(Sink):
    """A reply of score 0 is kept from being shown prominently; the score itself stays with the annotation."""

    disabled_by = (DisableRule.NON_PROD,)

    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        found: dict[int, ReplyResult] = {
            c.payload.post_id: c.results["reply"] for c in contexts if "reply" in c.results
        }
        spam = [labelling.reply_spam_label(1.0)]
        _reconcile({post_id: spam if reply.score == 0 else [] for post_id, reply in found.items()}, REPLY_RULES)
        return _without(contexts, "reply")


class WriteReplySpam(Sink):
    """A spam reply is kept from being shown prominently."""

    disabled_by = (DisableRule.NON_PROD,)

    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        found: dict[int, SpamResult] = {c.payload.post_id: c.results["spam"] for c in contexts if "spam" in c.results}
        _reconcile(
            {
                post_id: [labelling.reply_spam_label(spam.score)] if spam.decision == "spam" else []
                for post_id, spam in found.items()
            },
            REPLY_RULES,
        )
        return _without(contexts, "spam")


def _without(contexts: Iterable[Context], result: str) -> dict[int, str]:
    """The posts for which there is nothing to write, with the reason."""
    return {context.payload.post_id: "not_scored" for context in contexts if result not in context.results}


def _named(violations: Iterable[Violation]) -> set[tuple[str, str]]:
    return {(violation.category, violation.policy) for violation in violations}


def _count(violations: Iterable[Violation]) -> None:
    for violation in violations:
        metrics.counter("grox_violations", "Violations found", ("category", "policy")).labels(
            violation.category, violation.policy
        ).inc()


def _policy_labels(document: Document, result: PolicyResult) -> list[Proposal]:
    return labelling.policy_labels(
        result.violations,
        has_media=document.has_media,
        language=document.language,
        text_hash=document.text_hash,
        is_exempt=_is_trusted(document),
    )


def _annotate_nudity(found: Iterable[tuple[Context, Violation]]) -> None:
    """A finding of the picture model alone has an annotation of its own."""
    PostAnnotation.objects.bulk_create(
        (
            PostAnnotation(
                post_id=context.payload.post_id,
                plan=NUDITY,
                state=AnnotationState.DONE,
                stream=context.payload.stream,
                attempt=context.payload.attempt,
                run_id=context.payload.run_id,
                result={"policy": {"violations": [violation.model_dump()]}},
                versions={NUDITY: violation.reason},
            )
            for context, violation in found
        ),
        ignore_conflicts=True,
    )


def _left_to_machines(contexts: Iterable[Context]) -> tuple[list[Context], dict[int, str]]:
    """Those about whose very wording no person has upheld an appeal; and the others, with the reason to stop."""
    contexts = list(contexts)
    by_people = settled({context.payload.post_id: context.document.text_hash for context in contexts})
    left = [context for context in contexts if context.payload.post_id not in by_people]
    return left, dict.fromkeys(by_people, "settled by an appeal")


def _say_not_scored(contexts: Iterable[Context]) -> None:
    _reconcile({c.payload.post_id: [labelling.not_scored_label(c.not_scored)] for c in contexts}, POLICY_RULES)


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


def merge_flags(found: Mapping[int, tuple[BoolMetadata, bool]]) -> dict[int, PostFlags]:
    """Add flags and whether something was close to what is stored of posts; what was true stays true.

    Needs a transaction.
    """
    rows = lock_flags(found)
    changed = []
    for post_id, (flags, is_borderline) in found.items():
        row = rows[post_id]
        wanted = {**flags.model_dump(), "is_borderline": is_borderline}
        new = [name for name, value in wanted.items() if value and not getattr(row, name)]
        for name in new:
            setattr(row, name, True)
            metrics.counter("grox_flags", "Posts on which a flag was found", ("flag",)).labels(name).inc()
        if new:
            row.updated_at = clock.now()
            changed.append(row)
    PostFlags.objects.bulk_update(changed, (*PostFlags.NAMES, "updated_at"))
    return rows


def _reconcile(proposals: Mapping[int, Sequence[Proposal]], rules: tuple[str, ...]) -> None:
    """Make the labels of posts, by their ids, those proposed."""
    if not proposals:
        return
    version = policy_book().version
    reconcile_labels(
        {post_id: [new_label(each, version) for each in wanted] for post_id, wanted in proposals.items()}, rules=rules
    )
    for proposal in chain.from_iterable(proposals.values()):
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
