"""Which posts a plan looks at. The reasons of refusal keep their published names."""

from django.conf import settings

from moderation.grox.documents import Document
from moderation.grox.engine import SkipTask, Task
from moderation.grox.payload import Context
from xsocial.kernel import metrics


class Filter(Task):
    """Skips the plan unless `refusal` finds nothing to say."""

    attempts = 1

    def run(self, context: Context) -> None:
        if reason := self.refusal(context.document):
            metrics.counter("grox_filtered", "Posts not eligible", ("filter", "reason")).labels(self.name, reason).inc()
            raise SkipTask(reason)
        metrics.counter("grox_eligible", "Posts that a filter let pass", ("filter",)).labels(self.name).inc()

    def refusal(self, document: Document) -> str:
        """Why the post is not for this plan; empty if it is."""
        raise NotImplementedError


class PtosFilter(Filter):
    """Replies and protected authors are screened too."""

    def refusal(self, document: Document) -> str:
        return "" if document.author else "no_author"


class OpenRootFilter(Filter):
    """Posts of open accounts that are not replies."""

    def refusal(self, document: Document) -> str:
        if document.author is None:
            return "no_author"
        if document.is_reply:
            return "reply"
        return "private_account" if document.author.is_protected else ""


class PostSafetyFilter(OpenRootFilter):
    """What the safety screen looks at."""


class BangerFilter(OpenRootFilter):
    """What is screened for topics."""


class SpamCommentFilter(Filter):
    """Replies to other people whose parent and root authors are both not large."""

    def refusal(self, document: Document) -> str:
        author, parent, root = document.author, document.parent_author, document.root_author
        if not document.is_reply:
            return "not_reply"
        if not author or not author.user_id:
            return "no_author"
        if parent is None or root is None:
            return "no_parent_author" if parent is None else "no_root_author"
        if author.user_id in (parent.user_id, root.user_id):
            return "self_reply"
        is_small = max(parent.num_followers, root.num_followers) <= settings.GROX_REPLY_FOLLOWER_THRESHOLD
        return "" if is_small else "reply_ranking_target"


class ReplyRankingFilter(Filter):
    """Replies to other people of whom at least one, parent or root author, is large."""

    def refusal(self, document: Document) -> str:
        author, parent, root = document.author, document.parent_author, document.root_author
        if not document.is_reply:
            return "not_reply"
        if not author:
            return "no_author"
        if parent is None or root is None:
            return "no_parent_author" if parent is None else "no_root_author"
        if author.user_id in (parent.user_id, root.user_id):
            return "self_reply"
        is_large = max(parent.num_followers, root.num_followers) > settings.GROX_REPLY_FOLLOWER_THRESHOLD
        return "" if is_large else "low_blast_radius"


class EmbeddingFilter(OpenRootFilter):
    """What is embedded by its summary."""


class ReplyEmbeddingFilter(Filter):
    """Replies in conversations that nobody protects."""

    def refusal(self, document: Document) -> str:
        if not document.is_reply:
            return "not_reply"
        if document.author is None:
            return "no_author"
        people = (document.author, document.parent_author, document.root_author)
        return "private_account" if any(person and person.is_protected for person in people) else ""
