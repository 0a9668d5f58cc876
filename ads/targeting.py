"""How much does a campaign want this viewer, and on what facts? The same facts answer "why this ad".

Countries and languages are conditions, which `ads.selectors.servable` holds the viewer to; what is
unknown about a viewer meets none. Topics are a wish: people who follow one come first, others count for
less, so that a viewer who follows nothing yet does not see the one untargeted campaign again and again.
"""

from ads.types import AdViewer, Targeting


def relevance(targeting: Targeting, viewer: AdViewer, *, beyond_topics: float) -> float:
    """Share of the bid this viewer is worth: 1 for the audience asked for, `beyond_topics` for others."""
    return 1.0 if not targeting.topics or _shared_topics(targeting, viewer) else beyond_topics


def reasons(targeting: Targeting, viewer: AdViewer) -> tuple[str, ...]:
    """What decided, as sentences for the viewer."""
    found = []
    if topics := _shared_topics(targeting, viewer):
        found.append(f"You follow {_listed(topics)}.")
    elif targeting.topics:
        names = _listed([name for _, name in targeting.topics])
        found.append(f"The advertiser looks for people interested in {names}, and for others too.")
    if targeting.languages:
        found.append(f"Your language is {viewer.language}.")
    if targeting.countries:
        found.append(f"Your account's country is {viewer.country_code.upper()}.")
    return tuple(found) or ("The advertiser wants to reach everyone.",)


def _shared_topics(targeting: Targeting, viewer: AdViewer) -> list[str]:
    if not viewer.personalises_ads:
        return []
    return [name for topic_id, name in targeting.topics if topic_id in viewer.followed_topic_ids]


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
