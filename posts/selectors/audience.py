"""The timelines' rules turned round: of many people, those whose timelines show one post.

For what is sent while it happens: a handful of queries for everybody who listens, where asking
each person's timeline would take some per person. A test holds the two against each other.
"""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from accounts.models import Follow, ListMembership, Mute
from accounts.selectors import graph
from accounts.types import RepliesPolicy
from posts.models import Post
from posts.selectors.muting import pattern_of
from posts.selectors.visible import showable
from posts.types import Visibility
from xsocial.kernel import clock, sql

_OPENERS = f"""
SELECT viewer.id FROM unnest(%(people)s::bigint[]) AS viewer (id) JOIN posts_post p ON p.id = %(post)s
 WHERE {showable(True).replace("%(who)s", "viewer.id")}
"""


def openers(post_id: int, people: Iterable[int]) -> set[int]:
    """Those of these people who may open a post: `visible_to` for many. One query."""
    params = {"people": sql.bigints(people), "post": post_id, "now": clock.now()}
    return {person for (person,) in sql.rows(_OPENERS, params)}


def is_in_public(post: Post) -> bool:
    """Whether everybody's timeline is the place for a post, as `public_posts` says."""
    return _is_own_and_public(post) and post.in_reply_to_id is None


def tags_in_public(post: Post) -> set[str]:
    """The hashtags under which a post is listed, as `tagged_posts` says. One query."""
    return set(post.tag_links.values_list("tag__name", flat=True)) if _is_own_and_public(post) else set()


def home_readers(post: Post, people: Iterable[int]) -> set[int]:
    """Those of these people for whom a post is part of Following, as `home_posts` says. One query.

    Whether they may open it, and what they mute, is asked with the other two.
    """
    wanted = set(people)
    if post.visibility == Visibility.DIRECT:
        return set()
    known = [post.author_id, post.in_reply_to_user_id or post.author_id]
    apart = ListMembership.objects.filter(follow=OuterRef("pk"), people_list__is_exclusive=True)
    edges = Follow.objects.filter(follower_id__in=wanted, followee_id__in=known).annotate(is_apart=Exists(apart))
    rows = list(edges.values_list("follower_id", "followee_id", "shows_reposts", "is_apart"))
    shows_reposts = {(who, whom): shows for who, whom, shows, _ in rows}
    kept_apart = {(who, whom) for who, whom, _, is_apart in rows if is_apart}

    def is_reader(person: int) -> bool:
        if person == post.author_id:
            return True
        if (person, post.author_id) not in shows_reposts or (person, post.author_id) in kept_apart:
            return False
        if post.is_repost and not shows_reposts[person, post.author_id]:
            return False
        answered = post.in_reply_to_user_id
        return post.in_reply_to_id is None or answered == person or (person, answered) in shows_reposts

    return {person for person in wanted if is_reader(person)}


def list_readers(post: Post, list_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Those of these lists of which a post is part, as `list_posts` says, each behind its owner. One query."""
    if post.visibility == Visibility.DIRECT:
        return set()
    of_author = ListMembership.objects.filter(people_list_id__in=set(list_ids), follow__followee=post.author_id)
    if post.is_repost:
        of_author = of_author.filter(follow__shows_reposts=True)
    if post.in_reply_to_id is not None and post.in_reply_to_user_id != post.author_id:
        of_author = of_author.filter(_shows_replies_to(post.in_reply_to_user_id))
    return set(of_author.values_list("people_list__owner_id", "people_list_id"))


def _shows_replies_to(answered: int | None) -> Q:
    """The condition on a membership that its list has replies to this person."""
    same_list = ListMembership.objects.filter(people_list=OuterRef("people_list"), follow__followee=answered)
    followed = Follow.objects.filter(follower=OuterRef("people_list__owner"), followee=answered)
    return (
        Q(people_list__owner=answered)
        | Q(Exists(same_list), people_list__replies_policy=RepliesPolicy.LIST)
        | Q(Exists(followed), people_list__replies_policy=RepliesPolicy.FOLLOWED)
    )


# The words are matched where the timelines match them, so that both find the same.
_OFFENDED = """
SELECT person.id FROM unnest(%(people)s::bigint[], %(patterns)s::text[]) AS person (id, pattern)
 WHERE EXISTS (SELECT 1 FROM unnest(%(texts)s::text[]) AS said (words) WHERE said.words ~* person.pattern)
"""


def without_muting(post: Post, people: Iterable[int], *, in_context: bool = False) -> set[int]:
    """Those of these people who mute neither whom a post is by or of nor a word of it, as `without_muted` says.

    Two queries, two more if any of them mutes words.
    """
    in_force = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    authors = [post.author_id, post.repost_of.author_id if post.repost_of else post.author_id]
    wanted = set(people)
    wanted -= set(
        Mute.objects.filter(in_force, muter_id__in=wanted, muted_id__in=authors).values_list("muter_id", flat=True)
    )
    patterns = {
        person: pattern
        for person, phrases in graph.muted_keywords_of(wanted - {post.author_id}).items()
        if (pattern := pattern_of(phrases))
    }
    if not patterns:
        return wanted
    params = {
        "people": sql.bigints(patterns),
        "patterns": list(patterns.values()),
        "texts": _said(post, in_context=in_context),
    }
    return wanted - {person for (person,) in sql.rows(_OFFENDED, params)}


def _said(post: Post, *, in_context: bool) -> list[str]:
    """All the words that count for a post: its own, its original's and, in context, of what it refers to."""
    related = {post.pk, post.repost_of_id}
    if in_context:
        related |= {post.quote_of_id, post.in_reply_to_id}
        related |= {post.conversation_id} if post.is_reply else set()
    rows = Post.objects.filter(pk__in=related - {None}).values_list("text", "spoiler_text", "poll_text")
    return [words for row in rows for words in row if words]


def _is_own_and_public(post: Post) -> bool:
    return post.visibility == Visibility.PUBLIC and not post.is_repost
