"""The plans: which steps look at a post, and in which order. One file a plan.

Each is a graph of its own, so that one that fails leaves the others' results alone.
"""

from functools import lru_cache

from moderation.grox.engine import Plan
from moderation.grox.plans import post_embedding, post_safety, safety_ptos, spam_comment, topics


@lru_cache(maxsize=1)
def all_plans() -> tuple[Plan, ...]:
    """Every plan, made and checked once per process."""
    return tuple(module.plan() for module in (post_embedding, post_safety, safety_ptos, spam_comment, topics))
