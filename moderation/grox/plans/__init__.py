"""The plans: which steps look at a post, and in which order. One file a plan, or a family of them.

Each is a graph of its own, so that one that fails leaves the others' results alone.
"""

from functools import lru_cache

from moderation.grox.engine import Plan
from moderation.grox.plans import initial_banger, post_embedding, post_safety, reply_ranking, safety_ptos, spam_comment


@lru_cache(maxsize=1)
def all_plans() -> tuple[Plan, ...]:
    """Every plan, made and checked once per process."""
    modules = (post_safety, safety_ptos, spam_comment, reply_ranking, initial_banger)
    return (*post_embedding.plans(), *(module.plan() for module in modules))
