"""People and a stand-in for the models, for tests of whole pages."""

import numpy as np
import pytest

from feed import services
from feed.candidate_pipeline import Budgets
from feed.home_mixer import clients
from ranking.types import Retrieved, Scores
from tests.factories import FollowFactory, UserFactory

HEADS = ("favorite", "reply", "repost", "vqv", "not_interested", "report")


GOLDEN_RATIO = 0.618034


class Models:
    """Answers for ranking's two questions.

    How good a post is, from 0 to 1, stands in `liking`; for others it follows from the order in which posts were
    written and not from their ids, which hold the time: every run sees the same predictions.
    """

    def __init__(self):
        self.found, self.scored, self.tastes, self.broken = [], [], [], False
        self.liking: dict[int, float] = {}
        self.version = "test-ranker"

    def retrieve(self, *, k, exclude_ids, **question):
        ids = [post_id for post_id in self.found if post_id not in set(np.asarray(exclude_ids).tolist())][:k]
        return Retrieved(np.array(ids, np.int64), np.linspace(1, 0, len(ids)).astype(np.float32), "test-retrieval")

    def score(self, *, candidates, taste=None, **question):
        if self.broken:
            raise RuntimeError("the model fell over")
        self.scored.append(candidates)
        self.tastes.append(taste)
        for post_id in sorted(candidates.post_ids.tolist()):
            self.liking.setdefault(post_id, (len(self.liking) + 1) * GOLDEN_RATIO % 1)
        liking = np.array([[self.liking[post_id]] for post_id in candidates.post_ids.tolist()]).reshape(-1, 1)
        probabilities = (liking * np.array([0.2, 0.02, 0.05, 0.1, 0.001, 0.00001])).astype(np.float32)
        return Scores(
            heads=HEADS,
            probabilities=probabilities,
            raw_probabilities=probabilities,
            continuous_names=("dwell_time",),
            continuous=(5 * liking).astype(np.float32),
            model=self.version,
        )


@pytest.fixture
def models(monkeypatch):
    """A promoted ranker and retrieval model, without training one."""
    models = Models()
    monkeypatch.setattr("ranking.services.retrieve", models.retrieve)
    monkeypatch.setattr("ranking.services.score", models.score)
    monkeypatch.setattr("ranking.services.ranker_version", lambda: models.version)
    return models


@pytest.fixture
def viewer():
    return UserFactory()


@pytest.fixture
def friend(viewer):
    friend = UserFactory()
    FollowFactory(follower=viewer, followee=friend)
    return friend


@pytest.fixture
def patient_pipelines(monkeypatch):
    """Pipelines that wait for their components however busy the machine is."""
    monkeypatch.setattr(clients, "budgets", lambda: Budgets(request_ms=60_000, stage_ms={}))
    for made_once in (clients.shared, services.pipelines):
        made_once.cache_clear()
    yield
    for made_once in (clients.shared, services.pipelines):
        made_once.cache_clear()
