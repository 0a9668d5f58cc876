"""Country and region of the request's address. The address itself is kept nowhere."""

from typing import Any

from feed.candidate_pipeline import QueryHydrator
from feed.home_mixer import geo
from feed.home_mixer.query import ScoredPostsQuery


class IpQueryHydrator(QueryHydrator):
    """Coarser than upstream, which keeps coordinates and a postal code."""

    writes = ("ip_location",)
    inline = True

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """By parameter, when there is an address."""
        return query.params.enable_ip and bool(query.ip_address)

    def hydrate(self, query: ScoredPostsQuery) -> dict[str, Any]:
        """A look-up in a local database; nothing without one."""
        return {"ip_location": geo.locate(query.ip_address)}
