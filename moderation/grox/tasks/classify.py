"""The model steps, by the chat endpoint if one is set, else by the embedded models behind the same schemas.

Each is tried once: a payload that fails is retried as a whole. An endpoint that does not answer is
replaced by the embedded models, and the versions say so; an answer that cannot be read fails the plan.
"""

from moderation.grox import near_duplicates, reading, screening
from moderation.grox.classifiers import topics
from moderation.grox.classifiers.schemas import (
    ContentAnalyses,
    ContentAnalysis,
    PolicyResult,
    QualityResult,
    ReplyResult,
    SpamResult,
    TopicsResult,
)
from moderation.grox.engine import Task
from moderation.grox.llm import endpoint, judges
from moderation.grox.payload import Context, Stream
from moderation.grox.screening import Scores
from xsocial.kernel import metrics

SPAM_DECISION = 0.85
#: A quality result is published under both names.
BANGER_CATEGORIES = ("BANGER_INITIAL_SCREEN", "GROK_RANKER")
SPAM_CATEGORY = "SPAM_COMMENT"
TENTHS = tuple(tenth / 10 for tenth in range(11))


class ModelTask(Task):
    """Judges the document, or says that nothing here can."""

    attempts = 1
    sees_pictures = False  # whether a post without words has anything to judge
    prompt = ""  # of the question to the endpoint; empty: only the embedded models answer

    def run(self, context: Context) -> None:
        """Answer, counted and timed whichever back end does it."""
        count = metrics.counter("grox_classifiers", "Runs of model steps", ("classifier", "outcome"))
        count.labels(self.name, "request").inc()
        with (
            metrics.histogram("grox_classifier_seconds", "Duration of a model step", ("classifier",))
            .labels(self.name)
            .time()
        ):
            try:
                self.classify(context)
            except Exception:
                count.labels(self.name, "error").inc()
                raise
        count.labels(self.name, "not_scored" if context.not_scored else "success").inc()

    def classify(self, context: Context) -> None:
        """Let the endpoint answer if it can, else the embedded models, else say that nothing here can."""
        if self.prompt and endpoint.is_configured() and self._asked(context):
            return
        if context.document.not_scored and not (self.sees_pictures and context.document.is_all_pictures):
            context.not_scored = context.document.not_scored
            return
        scores = context.payload.scores.of(context.payload.post_id)
        context.versions.update(scores.versions)
        self.judge(context, scores)

    def _asked(self, context: Context) -> bool:
        """Whether the endpoint has judged; a reason for its absence is kept with the versions."""
        try:
            self.ask(context)
        except endpoint.Unavailable as refusal:
            context.versions["fallback"] = str(refusal)
            return False
        context.versions["llm"] = judges.version_of(self.prompt)
        return True

    def judge(self, context: Context, scores: Scores) -> None:
        """Let the embedded models answer."""
        raise NotImplementedError

    def ask(self, context: Context) -> None:
        """Let the endpoint answer. Raise what the judges raise."""
        raise NotImplementedError


def _embedded(context: Context) -> Scores | None:
    """What the embedded models say, if they can read the post: the second opinion on the endpoint's."""
    return None if context.document.not_scored else context.payload.scores.of(context.payload.post_id)


def _mind_unseen_media(context: Context) -> None:
    """The endpoint saw the pictures, or else what was found in them by others counts."""
    if judges.sees_all(context.document):
        context.doubt = ""
    else:
        context.not_scored = context.unscored_media


def publish(context: Context, *found: ContentAnalysis) -> None:
    """Keep findings with the plan's annotation, and count them."""
    context.results["content_analysis"] = ContentAnalyses(found=found)
    for each in found:
        metrics.counter("grox_findings", "Findings", ("category", "positive")).labels(
            each.category, str(each.positive).lower()
        ).inc()


class SafetyScreen(ModelTask):
    """Flags of the whole post. Media that nothing here has judged leave it not scored."""

    sees_pictures = True
    prompt = "safety"

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["safety"] = screening.safety_of(context.document, scores)
        context.not_scored = context.unscored_media

    def ask(self, context: Context) -> None:
        scores = _embedded(context)
        second = screening.safety_of(context.document, scores) if scores else None
        context.results["safety"] = judges.safety(context.document, second)
        _mind_unseen_media(context)


class PolicyScreen(ModelTask):
    """Policy categories and, for each one violated, its policy type. What the picture model doubts, people see."""

    sees_pictures = True
    prompt = "policy_category"

    def classify(self, context: Context) -> None:
        super().classify(context)
        _, doubt = screening.nudity_of(context.document)
        if doubt:
            policy = context.results.get("policy", PolicyResult())
            context.results["policy"] = policy.model_copy(update={"review": [doubt, *policy.review]})

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["policy"] = screening.policies_violated(context.document, scores)
        context.not_scored = context.unscored_media

    def ask(self, context: Context) -> None:
        scores = _embedded(context)
        second = screening.policies_violated(context.document, scores) if scores else None
        is_deluxe = context.payload.stream is Stream.SAFETY_PTOS_DELUXE
        context.results["policy"] = judges.policy(context.document, second, is_deluxe=is_deluxe)
        _mind_unseen_media(context)


class QualityScreen(ModelTask):
    """What the post is worth to strangers and what it is about."""

    prompt = "quality"

    def judge(self, context: Context, scores: Scores) -> None:
        context.versions.update(topics=topics.VERSION, quality=reading.VERSION)
        found = topics.topics_of(context.document.vector)
        flags = screening.safety_of(context.document, scores).flags
        self._publish(context, reading.quality_of(context.document, scores, found, flags))

    def ask(self, context: Context) -> None:
        self._publish(context, judges.quality(context.document))

    def _publish(self, context: Context, quality: QualityResult) -> None:
        flags = quality.flags.model_copy(update={"is_high_quality": quality.is_banger})
        context.results["quality"] = quality.model_copy(update={"flags": flags})
        context.results["topics"] = TopicsResult(topics=quality.topics)
        metrics.histogram("grox_banger_score", "Quality of posts", buckets=TENTHS).observe(quality.quality_score)
        metrics.counter("grox_slop", "Posts by how mass-produced they look", ("score",)).labels(
            str(quality.slop_score)
        ).inc()
        entities = topics.entities_of(quality.topics)
        publish(
            context,
            *(
                ContentAnalysis(
                    category=category,
                    positive=quality.is_banger,
                    score=quality.quality_score,
                    summary=quality.description,
                    entities=entities,
                )
                for category in BANGER_CATEGORIES
            ),
        )


class SpamDetection(ModelTask):
    """Whether a reply is spam."""

    prompt = "spam"

    def classify(self, context: Context) -> None:
        """Nearly the same words from many accounts are spam, in whatever language."""
        document = context.document
        seen = near_duplicates.observe(
            document.post_id, document.author.user_id if document.author else 0, document.text
        )
        if seen.is_campaign:
            reason = f"{seen.num_accounts} other accounts said nearly the same within an hour"
            context.versions["spam"] = near_duplicates.VERSION
            self._publish(context, SpamResult(decision="spam", score=1.0, reason=reason))
            return
        super().classify(context)

    def judge(self, context: Context, scores: Scores) -> None:
        score = scores.values["spam", "spam"]
        decision = "spam" if score >= SPAM_DECISION else "ham"
        self._publish(context, SpamResult(decision=decision, score=score))

    def ask(self, context: Context) -> None:
        self._publish(context, judges.spam(context.document))

    def _publish(self, context: Context, spam: SpamResult) -> None:
        context.results["spam"] = spam
        is_spam = spam.decision == "spam"
        publish(
            context, ContentAnalysis(category=SPAM_CATEGORY, positive=is_spam, score=spam.score, summary=spam.reason)
        )


class ReplyRanking(ModelTask):
    """How good a reply to a large account is."""

    prompt = "reply"

    def judge(self, context: Context, scores: Scores) -> None:
        context.versions["reply"] = reading.VERSION
        self._publish(context, reading.reply_score(context.document, scores))

    def ask(self, context: Context) -> None:
        self._publish(context, judges.reply(context.document))

    def _publish(self, context: Context, reply: ReplyResult) -> None:
        context.results["reply"] = reply
        metrics.counter("grox_reply_scores", "Replies by score", ("score",)).labels(str(reply.score)).inc()
