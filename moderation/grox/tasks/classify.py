"""The model steps. Each is tried once: a payload that fails is retried as a whole."""

from moderation.grox import screening
from moderation.grox.classifiers import topics
from moderation.grox.classifiers.schemas import SpamResult, TopicsResult
from moderation.grox.engine import Task
from moderation.grox.payload import Context
from moderation.grox.screening import Scores

SPAM_DECISION = 0.85
UNSCORED_MEDIA = "media"


class ModelTask(Task):
    """Judges the document's text, or says that nothing here can."""

    attempts = 1

    def run(self, context: Context) -> None:
        if context.document.not_scored:
            context.not_scored = context.document.not_scored
            return
        scores = context.payload.scores.of(context.payload.post_id)
        context.versions.update(scores.versions)
        self.judge(context, scores)

    def judge(self, context: Context, scores: Scores) -> None:
        raise NotImplementedError


class SafetyScreen(ModelTask):
    """Flags of the whole post. Media that nothing here has judged leave it not scored."""

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["safety"] = screening.safety_of(context.document, scores)
        if context.document.has_media:
            context.not_scored = UNSCORED_MEDIA


class PolicyScreen(ModelTask):
    """Policy categories and, for each one violated, its policy type."""

    def judge(self, context: Context, scores: Scores) -> None:
        context.results["policy"] = screening.policies_violated(context.document, scores)
        if context.document.has_media:
            context.not_scored = UNSCORED_MEDIA


class TopicScreen(ModelTask):
    """What the post is about."""

    def judge(self, context: Context, scores: Scores) -> None:
        context.versions["topics"] = topics.VERSION
        context.results["topics"] = TopicsResult(topics=topics.topics_of(context.document.vector))


class SpamDetection(ModelTask):
    """Whether a reply is spam."""

    def judge(self, context: Context, scores: Scores) -> None:
        score = scores.values["spam", "spam"]
        decision = "spam" if score >= SPAM_DECISION else "ham"
        context.results["spam"] = SpamResult(decision=decision, score=score)
