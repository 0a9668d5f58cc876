"""Who and what a post names, kept in step with its text."""

from django.db.models.functions import Upper

from accounts.models import User
from posts.models import Mention, Post, PostTag, Tag
from posts.services import text as wording
from xsocial.kernel import sql


def store_mentions(post: Post, *, is_new: bool = False) -> list[User]:
    """Replace the post's mentions by those of its text; returns the newly named people. A new post has none yet."""
    names = wording.mentioned_names(post.text)
    named = User.objects.alias(upper=Upper("username")).filter(upper__in=names, is_active=True) if names else []
    people = {user.pk: user for user in named}
    before = set() if is_new else set(Mention.objects.filter(post=post).values_list("user_id", flat=True))
    if before - people.keys():
        Mention.objects.filter(post=post, user__in=before - people.keys()).delete()
    new: list[User] = [user for user_id, user in people.items() if user_id not in before]
    sql.insert([Mention(post=post, user=user) for user in new])
    return new


def store_tags(post: Post, *, is_new: bool = False) -> None:
    """Replace the post's hashtags by those of its text. A new post has none yet."""
    names = wording.hashtags(post.text)
    if not is_new:
        PostTag.objects.filter(post=post).exclude(tag__name__in=names).delete()
    if not names:
        return
    # Sorted, so that two posts with the same new tags insert them in the same order.
    Tag.objects.bulk_create((Tag(name=name) for name in sorted(names)), ignore_conflicts=True)
    links = [PostTag(post=post, tag=tag) for tag in Tag.objects.filter(name__in=names)]
    PostTag.objects.bulk_create(links, ignore_conflicts=True)
