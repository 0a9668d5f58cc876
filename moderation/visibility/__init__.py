"""Visibility: labels, author and viewer in; allow, interstitial or drop out. An island: no Django here.

verdicts = evaluate(posts, viewer, level=SafetyLevel.TIMELINE_HOME)
"""

from moderation.visibility.levels import SafetyLevel, evaluate
from moderation.visibility.types import Action, PostFacts, Reason, Verdict, ViewerFacts

__all__ = ["Action", "PostFacts", "Reason", "SafetyLevel", "Verdict", "ViewerFacts", "evaluate"]
