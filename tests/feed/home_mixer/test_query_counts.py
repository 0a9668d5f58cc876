"""How many questions a page asks the database: a number that does not grow with the candidates."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feed.home_mixer import clients, query_builder
from feed.home_mixer.pipelines import scored_posts
from feed.types import FeedRequest
from tests.factories import PostFactory, UserFactory

MOST = 8


def hydration_queries(viewer) -> tuple[int, int]:
    """Candidates of a page, and the queries of its hydrators, before and after selection."""
    asked: list[int] = []
    pipeline = scored_posts.build(clients.patient())
    for stage in ("hydrators", "post_selection_hydrators"):
        for part in getattr(pipeline, stage):
            part.hydrate = _counted(part.hydrate, asked)
    result = pipeline.execute(query_builder.build(viewer.pk, FeedRequest()))
    assert result.faults == ()
    return result.retrieved.n, sum(asked)


def _counted(hydrate, asked):
    def counted(query, batch):
        with CaptureQueriesContext(connection) as queries:
            answer = hydrate(query, batch)
        asked.append(len(queries))
        return answer

    return counted


@pytest.mark.django_db
def test_hydration_asks_at_most_eight_questions_for_few_candidates_and_for_many(viewer, friend, models):
    strangers = [UserFactory() for _ in range(3)]
    models.found = [PostFactory(author=stranger).pk for stranger in strangers]
    models.found.append(PostFactory(author=strangers[0], quote_of=PostFactory(author=friend)).pk)
    few, questions = hydration_queries(viewer)
    for _ in range(20):
        PostFactory(author=friend, in_reply_to=PostFactory(author=friend))
    models.found += [PostFactory(author=stranger, quote_of=PostFactory(author=friend)).pk for stranger in strangers]
    many, still = hydration_queries(viewer)
    assert many >= 5 * few
    assert max(questions, still) <= MOST
