"""Age bracket and country of the viewer, as the viewer declared them."""

from typing import Any

import numpy as np

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery

AGE_BRACKETS = (13, 18, 25, 35, 45, 55, 65)  # lower ends; bracket 0 is below the first


class UserDemographicsQueryHydrator(QueryHydrator):
    """For the models' context; a person who says nothing is nothing but zeros there."""

    writes = ("user_demographics",)
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """With context features, and for shadow traffic."""
        return query.wants_context

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """From the viewer's settings; nothing is read."""
        year, age = query.viewer.birth_year, None
        if year is not None:
            age = query.year - year
        bracket = None if age is None else int(np.searchsorted(AGE_BRACKETS, age, side="right"))
        return {"user_demographics": {"age_bracket": bracket, "age": age, "country": query.viewer.country_code}}
