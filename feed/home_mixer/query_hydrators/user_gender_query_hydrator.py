"""The viewer's gender as declared. Upstream infers one where none is stored; nobody's is inferred here."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer.query import ScoredPostsQuery


class UserGenderQueryHydrator(QueryHydrator):
    """Whoever declares nothing stays without one."""

    writes = ("user_gender",)
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, and for shadow traffic."""
        return query.params.enable_declared_gender or query.is_shadow_traffic

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """From the viewer's settings; nothing is read."""
        return {"user_gender": query.viewer.gender}
