"""The steps of the embedding plans: a summary, a vector of the post's words, a vector of its summary."""

from collections.abc import Sequence

from moderation.grox.classifiers.schemas import SummaryResult
from moderation.grox.documents import Document
from moderation.grox.embedders import minilm, summaries
from moderation.grox.embedders.vectors import fitted
from moderation.grox.engine import BatchTask, SkipTask, Task
from moderation.grox.llm import endpoint, judges
from moderation.grox.payload import Context
from moderation.grox.text import normalise
from xsocial.kernel import metrics


def describe(document: Document) -> tuple[SummaryResult, str]:
    """A description of the post and who made it: the endpoint if one answers, else the post's own sentences."""
    if endpoint.is_configured():
        try:
            return judges.summary(document), judges.version_of("summary")
        except endpoint.Unavailable:
            metrics.counter("grox_summary_fallbacks", "Summaries that the endpoint did not make").inc()
    return SummaryResult(text=summaries.extract(document.raw_text)), summaries.VERSION


def words_of_summary(document: Document, summary: str) -> str:
    """What is embedded of a summary, as the embedder reads it."""
    return normalise(summaries.in_context(summary, document.parent_text))


class Summarise(Task):
    """A description of the post."""

    attempts = 1

    def run(self, context: Context) -> None:
        if not context.document.has_text:
            raise SkipTask("empty")
        context.results["summary"], context.versions["summary"] = describe(context.document)


class EmbedContent(Task):
    """The vector of what the post says, shows in writing and speaks."""

    attempts = 1

    def run(self, context: Context) -> None:
        if not context.document.has_text:
            raise SkipTask("empty")
        context.vector = fitted(context.document.vector, minilm.DIMENSIONS)
        context.versions["embedder"] = minilm.VERSION


class EmbedSummary(BatchTask):
    """The vectors of posts' summaries; of replies, with what they answer."""

    attempts = 1

    def run_batch(self, contexts: Sequence[Context]) -> dict[int, str]:
        texts = [words_of_summary(context.document, context.results["summary"].text) for context in contexts]
        for context, vector in zip(contexts, minilm.embed(texts), strict=True):
            context.vector = fitted(vector, minilm.DIMENSIONS)
            context.versions["embedder"] = summaries.EMBEDDING
        return {}
