"""Which version of content embeddings is read, and which are kept. A search reads one version, never two."""

from posts.models.embedding import FIRST_VERSION
from xsocial.kernel import sql

#: The version in force, for use inside other statements: chosen and read in one go, so they cannot disagree.
SERVED_VERSION = f"""(SELECT coalesce(
    (SELECT name FROM posts_embeddingversion WHERE served_at IS NOT NULL ORDER BY served_at DESC LIMIT 1),
    '{FIRST_VERSION}'))"""
_VERSIONS = f"SELECT {SERVED_VERSION}, ARRAY(SELECT name FROM posts_embeddingversion)"


def served_version() -> str:
    """The version that searches and models read. One query."""
    return str(_versions()[0])


def kept_versions() -> frozenset[str]:
    """The versions that new posts get: the first one, the one in force, and one that is being made. One query."""
    _, kept = _versions()
    return frozenset({FIRST_VERSION, *kept})


def _versions() -> tuple[str, list[str]]:
    row = sql.row(_VERSIONS, {})
    assert row is not None
    return row[0], row[1]
