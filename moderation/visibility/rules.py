"""The rules, one line each: when it applies, what follows. Labels are tested as a set against a set.

Base rules hold everywhere; recommendation rules hold where a post is shown to people who did not ask
for its author. Names and grouping follow the published label store and its two home safety levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

from moderation.types import Label
from moderation.visibility.types import Action, PostFacts, Reason, ViewerFacts

Condition = Callable[[PostFacts, ViewerFacts], bool]


@dataclass(frozen=True)
class Rule:
    """`action` with `reason` when `applies`. A rule with `labels` also needs one of them on the post."""

    name: str
    action: Action
    reason: Reason
    labels: frozenset[str] = frozenset()
    applies: Condition | None = None
    spares_author: bool = True

    def holds(self, post: PostFacts, viewer: ViewerFacts) -> bool:
        if self.labels and self.labels.isdisjoint(post.labels):
            return False
        if self.spares_author and post.author_id == viewer.user_id:
            return False
        return self.applies is None or self.applies(post, viewer)


def _not_following(post: PostFacts, viewer: ViewerFacts) -> bool:
    return post.author_id not in viewer.following


def _not_opted_in(_: PostFacts, viewer: ViewerFacts) -> bool:
    """Sensitive content is for people who asked for it and are old enough."""
    return not (viewer.shows_sensitive and viewer.is_adult)


def _hidden_behind_followers(post: PostFacts, viewer: ViewerFacts) -> bool:
    is_closed = post.author_protected or (not post.is_open and not post.is_direct)
    return is_closed and not post.names_viewer and _not_following(post, viewer)


def _without_subscription(post: PostFacts, viewer: ViewerFacts) -> bool:
    return post.is_subscribers_only and post.author_id not in viewer.subscribed


def _unscreened(post: PostFacts, viewer: ViewerFacts) -> bool:
    return not viewer.shows_unscreened and post.labels.isdisjoint(SCREENED)


#: One of these says that Grox has looked, even if only to say that it cannot judge.
SCREENED = frozenset({Label.PTOS_REVIEWED, Label.GROK_NOT_SCORED})
ADULT_MEDIA = frozenset({Label.NSFW_HIGH_PRECISION, Label.NSFW_REPORTED_HEURISTICS, Label.EGREGIOUS_NSFW})
GRAPHIC_MEDIA = frozenset({Label.GORE_AND_VIOLENCE_HIGH_PRECISION, Label.GORE_AND_VIOLENCE_REPORTED_HEURISTICS})


def _drop(
    name: str, reason: Reason, *labels: str, applies: Condition | None = None, spares_author: bool = True
) -> Rule:
    return Rule(name, Action.DROP, reason, frozenset(labels), applies, spares_author)


def _cover(name: str, reason: Reason, labels: frozenset[str], applies: Condition) -> Rule:
    return Rule(name, Action.INTERSTITIAL, reason, labels, applies)


BASE_RULES: tuple[Rule, ...] = (
    _drop("deleted", Reason.DELETED, applies=lambda p, v: p.is_deleted, spares_author=False),
    _drop("author_suspended", Reason.AUTHOR_SUSPENDED, applies=lambda p, v: p.author_suspended, spares_author=False),
    _drop("author_deactivated", Reason.AUTHOR_DEACTIVATED, applies=lambda p, v: p.author_deactivated),
    _drop("author_blocks_viewer", Reason.AUTHOR_BLOCKS_VIEWER, applies=lambda p, v: p.author_id in v.blocked_by),
    _drop("viewer_blocks_author", Reason.VIEWER_BLOCKS_AUTHOR, applies=lambda p, v: p.author_id in v.blocked),
    _drop("direct_to_others", Reason.NOT_ADDRESSED, applies=lambda p, v: p.is_direct and not p.names_viewer),
    _drop("protected_author", Reason.PROTECTED, applies=_hidden_behind_followers),
    _drop("subscribers_only", Reason.SUBSCRIBERS_ONLY, applies=_without_subscription),
    _drop("illegal_media_match", Reason.SAFETY_LEGAL, Label.PDNA, spares_author=False),
    _drop("child_safety", Reason.SAFETY_CHILD, Label.CHILD_SAFETY, spares_author=False),
    _drop("confirmed_spam", Reason.SAFETY_SPAM, Label.SPAM),
    _cover("adult_media", Reason.SAFETY_ADULT, ADULT_MEDIA, _not_opted_in),
    _cover("graphic_media", Reason.SAFETY_GRAPHIC, GRAPHIC_MEDIA, _not_opted_in),
    _cover("self_harm", Reason.SAFETY_SELF_HARM, frozenset({Label.SELF_HARM}), lambda p, v: True),
    _cover("violent_speech", Reason.SAFETY_ABUSE, frozenset({Label.FOSNR_VIOLENT_SPEECH}), lambda p, v: True),
    _cover("hateful_conduct", Reason.SAFETY_ABUSE, frozenset({Label.FOSNR_HATEFUL_CONDUCT}), lambda p, v: True),
    _cover(
        "marked_sensitive",
        Reason.SAFETY_SENSITIVE,
        frozenset(),
        lambda p, v: p.is_sensitive and not v.shows_sensitive,
    ),
)

#: Labels that take a post from everybody but its author, on every surface.
WITHHOLDING = frozenset().union(
    *(rule.labels for rule in BASE_RULES if rule.action is Action.DROP and rule.applies is None)
)

RECOMMENDATION_RULES: tuple[Rule, ...] = (
    _drop("adult_media_recommended", Reason.SAFETY_ADULT, *ADULT_MEDIA, applies=_not_opted_in),
    _drop("graphic_media_recommended", Reason.SAFETY_GRAPHIC, *GRAPHIC_MEDIA, applies=_not_opted_in),
    _drop("adult_text_recommended", Reason.SAFETY_ADULT, Label.NSFW_TEXT, Label.NSFW_HIGH_RECALL, Label.SOFT_NSFW),
    _drop("adult_card_recommended", Reason.SAFETY_ADULT, Label.NSFW_CARD_IMAGE),
    _drop("adult_author_recommended", Reason.SAFETY_ADULT, applies=lambda p, v: p.author_adult),
    _drop("do_not_amplify", Reason.SAFETY_LIMITED, Label.DO_NOT_AMPLIFY),
    _drop("malicious_url", Reason.SAFETY_DECEPTION, Label.MALICIOUS_URL),
    _drop("spam_high_recall", Reason.SAFETY_SPAM, Label.SPAM_HIGH_RECALL),
    _drop("impersonation", Reason.SAFETY_DECEPTION, Label.IMPERSONATION),
    _drop("abuse_insult", Reason.SAFETY_ABUSE, Label.FOSNR_ABUSE_INSULTS),
    _drop("hateful_conduct_recommended", Reason.SAFETY_ABUSE, Label.FOSNR_HATEFUL_CONDUCT),
    _drop("violent_speech_recommended", Reason.SAFETY_ABUSE, Label.FOSNR_VIOLENT_SPEECH),
    _drop("self_harm_recommended", Reason.SAFETY_SELF_HARM, Label.SELF_HARM),
    _drop("risky_reply_recommended", Reason.SAFETY_LIMITED, Label.RISKY_HIGH_VIZ_REPLY),
    _drop("geo_restricted_media", Reason.SAFETY_LEGAL, Label.GEO_RESTRICTED_MEDIA),
    _drop("copyright_withheld", Reason.SAFETY_LEGAL, Label.COPYRIGHT_WITHHELD),
    _drop(
        "sensitive_recommended",
        Reason.SAFETY_SENSITIVE,
        applies=lambda p, v: p.is_sensitive and not v.shows_sensitive,
    ),
    _drop("unscreened", Reason.UNSCREENED, applies=_unscreened),
)
