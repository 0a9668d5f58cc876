"""Which of a post's topics a topic page trusts: a mode for all topics, and others for some."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from feed.home_mixer.params import TOPIC_MODES, Params
from feed.home_mixer.query import ScoredPostsQuery

UNFILTERED = "Unfiltered"
CURATED = ("CuratedV0", "CuratedV0V1")

log = logging.getLogger(__name__)


def of_query(query: ScoredPostsQuery) -> str:
    """Unfiltered for bulk requests and snoozed topics; else the first asked topic's override, or the mode for all."""
    if query.is_bulk_topic_request or query.excluded_topic_ids:
        return UNFILTERED
    return mode_for(query.topic_ids or query.new_user_topic_ids, query.params)


def mode_for(topic_ids: Sequence[int], params: Params) -> str:
    """The mode of the first topic that has its own, else the one for all; an unknown one is Unfiltered."""
    own = overrides(params.topic_filter_overrides)
    named = next((own[topic] for topic in topic_ids if topic in own), params.topic_filter_mode)
    return named if named in TOPIC_MODES else UNFILTERED


def overrides(text: str) -> dict[int, str]:
    """``topic=Mode,topic=Mode`` as a dictionary by topic id; bad entries are passed over with a warning."""
    found: dict[int, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        topic, _, mode = (part.strip() for part in entry.partition("="))
        if topic.isdigit() and mode in TOPIC_MODES:
            found[int(topic)] = mode
        else:
            log.warning("topic filter override passed over: %r", entry)
    return found


def trusts(mode: str, confidence: float, is_curated: bool) -> bool:
    """Whether a link between post and topic counts in a mode."""
    return is_curated if mode in CURATED else confidence >= TOPIC_MODES[mode]
