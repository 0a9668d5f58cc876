"""Polls as one viewer may see them: counts, and their own ballot, never another's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from posts.selectors.visible import Viewer, viewer_id
from xsocial.kernel import clock, sql


@dataclass(frozen=True, slots=True)
class ShownPoll:
    """`own` are the places the viewer chose; empty before they vote."""

    post_id: int
    options: tuple[str, ...]
    votes: tuple[int, ...]
    voters: int
    multiple: bool
    hides_totals: bool
    ends_at: datetime
    own: tuple[int, ...]

    @property
    def is_over(self) -> bool:
        return self.ends_at <= clock.now()


_POLLS = """
SELECT p.post_id, p.options, p.votes, p.voters, p.multiple, p.hides_totals, p.ends_at, b.choices
  FROM posts_poll p LEFT JOIN posts_ballot b ON b.poll_id = p.post_id AND b.voter_id = %(who)s
 WHERE p.post_id = ANY(%(ids)s::bigint[])
"""


def polls_of(viewer: Viewer, post_ids: Iterable[int]) -> dict[int, ShownPoll]:
    """By post id; the posts themselves were found open before. One query, none for no posts."""
    wanted = list(post_ids)
    params = {"ids": sql.bigints(wanted), "who": viewer_id(viewer)}
    return {
        post_id: ShownPoll(post_id, tuple(options), tuple(votes), *rest, own=tuple(own or ()))
        for post_id, options, votes, *rest, own in (sql.rows(_POLLS, params) if wanted else ())
    }
