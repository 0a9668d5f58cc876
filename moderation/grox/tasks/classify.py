"""The model steps, by the chat endpoint if one is set, else by the embedded models behind the same schemas.

Each is tried once: a payload that fails is retried as a whole. An endpoint that does not answer is
replaced by the embedded models, and the versions say so; an answer that cannot be read fails the plan.
"""

from moderation.grox import near_duplicates, reading, screening
from moderation.grox.classifiers import topics
from moderation.grox.classifiers.schemas import SpamResult, TopicsResult
from moderation.grox.engine import Task
from moderation.grox.llm import endpoint, judges
from moderation.grox.payload import Context, Stream
from moderation.grox.screening import Scores

SPAM_DECISION = 0.85
UNSCORED_MEDIA = "media"


class ModelTask(Task):
    """Judges the document, or says that nothing here can."""

    attempts = 1
    prompt = ""  # of the question to the endpoint; empty: only the embedded models answer

    def run(self, context: Context) -> None:
        if self.prompt and endpoint.is_configured() and self._asked(context):
            return
        if context.document.not_scored:
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


class SafetyScreen(ModelTask):
    """Flags of the whole post. Media that nothing here has judged leave it not scored."""

    prompt = "safety"

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["safety"] = screening.safety_of(context.document, scores)
        if context.document.has_media:
            context.not_scored = UNSCORED_MEDIA

    def ask(self, context: Context) -> None:
        scores = _embedded(context)
        second = screening.safety_of(context.document, scores) if scores else None
        context.results["safety"] = judges.safety(context.document, second)
        if not judges.sees_all(context.document):
            context.not_scored = UNSCORED_MEDIA


class PolicyScreen(ModelTask):
    """Policy categories and, for each one violated, its policy type."""

    prompt = "policy_category"

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["policy"] = screening.policies_violated(context.document, scores)
        if context.document.has_media:
            context.not_scored = UNSCORED_MEDIA

    def ask(self, context: Context) -> None:
        scores = _embedded(context)
        second = screening.policies_violated(context.document, scores) if scores else None
        is_deluxe = context.payload.stream is Stream.SAFETY_PTOS_DELUXE
        context.results["policy"] = judges.policy(context.document, second, is_deluxe=is_deluxe)
        if not judges.sees_all(context.document):
            context.not_scored = UNSCORED_MEDIA


class QualityScreen(ModelTask):
    """What the post is worth to strangers and what it is about."""

    prompt = "quality"

    def judge(self, context: Context, scores: Scores) -> None:
        context.versions.update(topics=topics.VERSION, quality=reading.VERSION)
        found = topics.topics_of(context.document.vector)
        context.results["topics"] = TopicsResult(topics=found)
        context.results["quality"] = reading.quality_of(context.document, scores, found)

    def ask(self, context: Context) -> None:
        quality = judges.quality(context.document)
        context.results["topics"] = TopicsResult(topics=quality.topics)
        context.results["quality"] = quality


class SpamDetection(ModelTask):
    """Whether a reply is spam."""

    prompt = "spam"

    def run(self, context: Context) -> None:
        """Nearly the same words from many accounts are spam, in whatever language."""
        document = context.document
        seen = near_duplicates.observe(
            document.post_id, document.author.user_id if document.author else 0, document.text
        )
        if seen.is_campaign:
            reason = f"{seen.num_accounts} other accounts said nearly the same within an hour"
            context.results["spam"] = SpamResult(decision="spam", score=1.0, reason=reason)
            context.versions["spam"] = near_duplicates.VERSION
            return
        super().run(context)

    def judge(self, context: Context, scores: Scores) -> None:
        score = scores.values["spam", "spam"]
        decision = "spam" if score >= SPAM_DECISION else "ham"
        context.results["spam"] = SpamResult(decision=decision, score=score)

    def ask(self, context: Context) -> None:
        context.results["spam"] = judges.spam(context.document)


class ReplyRanking(ModelTask):
    """How good a reply to a large account is."""

    prompt = "reply"

    def judge(self, context: Context, scores: Scores) -> None:
        context.versions["reply"] = reading.VERSION
        context.results["reply"] = reading.reply_score(context.document, scores)

    def ask(self, context: Context) -> None:
        context.results["reply"] = judges.reply(context.document)
