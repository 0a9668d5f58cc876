"""Posts whose content is near another's: nearest neighbours among vectors of the version in force."""

from dataclasses import dataclass

from django.db import connection, transaction

from posts.selectors.embeddings import SERVED_VERSION
from xsocial.kernel import sql

MIN_COSINE = 0.45
EF_SEARCH = 100
# Vectors have length one, so the negative inner product orders like the cosine distance. The conditions are
# checked while the index is walked, further and further until enough posts fulfil them.
_SIMILAR = f"""
WITH this AS MATERIALIZED (
    SELECT e.vector, e.model, p.language, p.author_id FROM posts_postembedding e JOIN posts_post p ON p.id = e.post_id
     WHERE e.post_id = %(post)s AND e.model = {SERVED_VERSION})
SELECT e.post_id, -(e.vector <#> (SELECT vector FROM this))
  FROM posts_postembedding e JOIN posts_post p ON p.id = e.post_id
 WHERE e.model = (SELECT model FROM this) AND e.post_id <> %(post)s
   AND p.visibility = 'public' AND p.deleted_at IS NULL AND p.repost_of_id IS NULL
   AND p.language = (SELECT language FROM this) AND p.language = ANY(%(languages)s)
 ORDER BY e.vector <#> (SELECT vector FROM this)
 LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Neighbour:
    """A post and the cosine of its vector with the other's."""

    post_id: int
    cosine: float


def nearest(post_id: int, *, languages: tuple[str, ...], limit: int) -> list[Neighbour]:
    """Public posts nearest in content, nearest first; none for a post without a vector or in another language.

    Who may see them is not asked here. Three statements.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL hnsw.ef_search = {EF_SEARCH}")
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        rows = sql.rows(_SIMILAR, {"post": post_id, "languages": list(languages), "limit": limit})
    return [Neighbour(found, float(cosine)) for found, cosine in rows if cosine >= MIN_COSINE]
