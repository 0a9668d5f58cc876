"""Show what Grox makes of a text or of a post, without writing anything."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from moderation.grox import labelling, screening
from moderation.grox.classifiers import heads
from moderation.grox.documents import Document, documents_of, load_documents

TOPICS_SHOWN = 3
DIGITS = 4


class Command(BaseCommand):
    help = "Run the classifiers over TEXT, or over the post with that id, and print findings and labels."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", help="a text, or the id of a post")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, text: str, as_json: bool, **_: Any) -> None:
        findings = analysis_of(self._document(text))
        if as_json:
            self.stdout.write(json.dumps(findings, ensure_ascii=False))
            return
        for line in lines_of(findings):
            self.stdout.write(line)

    def _document(self, text: str) -> Document:
        if not (text.isascii() and text.isdigit()):
            return documents_of([0], [text])[0]
        found = load_documents([int(text)])
        if not found:
            self.stderr.write(f"grox_analyze: there is no post {text} with content of its own")
            sys.exit(2)
        return found[0]


def lines_of(findings: dict[str, Any]) -> Iterator[str]:
    """The analysis for a person: a name and what belongs to it, the likeliest first."""
    shown = {
        "as read": [findings["text"]],
        "language": [findings["language"] or "unknown"],
        "not scored": [findings["not_scored"]] if findings["not_scored"] else [],
        "scores": _by_score(findings["scores"]),
        "topics": _by_score(findings["topics"]),
        "violations": [_in_words(found) for found in findings["violations"]],
        "for review": [_in_words(found) for found in findings["review"]],
        "labels": findings["labels"],
        "models": sorted(findings["versions"].values()),
    }
    for name, values in shown.items():
        for place, value in enumerate(values):
            yield f"{'' if place else name:12}{value}"


def _by_score(scores: dict[str, float]) -> list[str]:
    return [f"{value:.3f}  {name}" for name, value in sorted(scores.items(), key=lambda item: -item[1])]


def _in_words(found: dict[str, Any]) -> str:
    return f"{found['category']}: {found['policy']}, {found['score']:.1f} ({found['reason']})"


def analysis_of(document: Document) -> dict[str, Any]:
    """Everything the embedded models say about one document."""
    (scores,) = screening.score([document])
    (topics,) = screening.score([document], tasks=["topics"])
    result = screening.policies_violated(document, scores)
    proposals = []
    if reason := document.not_scored or document.unscored_media:
        proposals.append(labelling.not_scored_label(reason))
    else:
        flags = labelling.flags_of(result.violations)
        proposals.append(labelling.suitability_label(flags, is_borderline=bool(result.review)))
    if not document.not_scored:
        proposals += labelling.policy_labels(
            result.violations,
            has_media=document.has_media,
            language=document.language,
            text_hash=document.text_hash,
        )
    best = sorted(topics.values.items(), key=lambda item: -item[1])[:TOPICS_SHOWN]
    return {
        "text": document.text,
        "language": document.language,
        "not_scored": document.not_scored,
        "scores": {f"{head}.{name}": round(value, DIGITS) for (head, name), value in scores.values.items()},
        "topics": {name: round(value, DIGITS) for (_, name), value in best},
        "violations": [violation.model_dump() for violation in result.violations],
        "review": [violation.model_dump() for violation in result.review],
        "labels": [str(proposal.label) for proposal in proposals],
        "versions": scores.versions,
        "heads": sorted(heads.available()),
    }
