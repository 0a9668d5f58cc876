"""What a viewer would rather not meet in a timeline: muted people and muted words."""

import re
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Mute, MutedKeyword
from posts.models import Post
from xsocial.kernel import clock

# Scripts written without spaces between words: a phrase is found anywhere.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_EDGE_BEFORE, _EDGE_AFTER = r"(^|[^[:alnum:]_])", r"($|[^[:alnum:]_])"
_SPECIAL = re.compile(r"([\\.^$*+?{}\[\]|()])")


def without_muted(who: int, posts: QuerySet[Post], *, in_context: bool = False) -> QuerySet[Post]:
    """Leave out posts and reposts by or of muted people, and those with a muted word.

    With ``in_context`` a muted word also counts in what a post quotes, answers, and in the post its
    conversation began with. One's own posts stay, whatever they say.
    """
    in_force = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    muted = Mute.objects.filter(in_force, muter_id=who).values("muted_id")
    posts = posts.exclude(author_id__in=muted).exclude(repost_of__isnull=False, repost_of__author_id__in=muted)
    phrases = MutedKeyword.objects.filter(in_force, user_id=who).values_list("phrase", flat=True)
    pattern = pattern_of(phrases)
    if not pattern:
        return posts
    said = Q()
    for field in ("text", "spoiler_text", "poll_text"):
        said |= Q(**{f"{field}__iregex": pattern})
        said |= Q(repost_of__isnull=False) & Q(**{f"repost_of__{field}__iregex": pattern})
        if in_context:
            said |= Q(quote_of__isnull=False) & Q(**{f"quote_of__{field}__iregex": pattern})
            said |= Q(in_reply_to__isnull=False) & Q(**{f"in_reply_to__{field}__iregex": pattern})
            root = Post.objects.filter(pk=OuterRef("conversation_id"), **{f"{field}__iregex": pattern})
            said |= Q(in_reply_to__isnull=False) & Exists(root)
    return posts.filter(Q(author_id=who) | ~said)


def pattern_of(phrases: Iterable[str]) -> str:
    """Any of these phrases, in PostgreSQL's regular expressions; empty for none."""
    return "|".join(_pattern(phrase) for phrase in phrases)


def _pattern(phrase: str) -> str:
    """The phrase as whole words in PostgreSQL's regular expressions, spaces of any width."""
    words = r"\s+".join(_SPECIAL.sub(r"\\\1", word) for word in phrase.split())
    return words if _UNSPACED.search(phrase) else f"{_EDGE_BEFORE}{words}{_EDGE_AFTER}"
