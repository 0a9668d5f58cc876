"""The post a notification led here for."""

import numpy as np

from accounts.models import User
from feed.candidate_pipeline import Batch, Source
from feed.home_mixer import feed_item, graph
from feed.home_mixer.query import ScoredPostsQuery
from posts.models import Post
from posts.selectors import hydration
from posts.selectors.visible import get_visible_post
from xsocial.kernel.errors import NotFound

FACES = 3


class PushToHomeSource(Source):
    """The focal post, and for a root up to three people who answered it."""

    writes = ("kind", "item")

    def enabled(self, query: ScoredPostsQuery) -> bool:
        """Only when the request names a post."""
        return query.push_to_home_post_id > 0

    def fetch(self, query: ScoredPostsQuery) -> Batch:
        """Nothing when the viewer may not open the post."""
        viewer = User.objects.get(pk=query.user_id)
        try:
            post = get_visible_post(viewer, query.push_to_home_post_id)
        except NotFound:
            return feed_item.items(feed_item.PUSH_TO_HOME, [])
        faces = () if post.is_reply else self._faces(query, post)
        thread = post.in_reply_to_id or 0, post.conversation_id
        item = feed_item.PushToHomeItem(post.pk, post.author_id, *thread, faces)
        return feed_item.items(feed_item.PUSH_TO_HOME, [item])

    def _faces(self, query: ScoredPostsQuery, post: Post) -> tuple[int, ...]:
        """Nobody across a block or muted."""
        edges = graph.of_viewer(query)
        unwanted = np.concatenate([edges.blocked, edges.muted, edges.blocked_by]).tolist()
        return hydration.repliers(post.pk, without=(post.author_id, *unwanted), limit=FACES)
