"""Does a campaign want this viewer, and on what facts? The same facts answer "why this ad"."""

from ads.types import AdViewer, Targeting


def matches(targeting: Targeting, viewer: AdViewer) -> bool:
    """Every attribute that is asked for must match; unknown matches nothing."""
    return (
        (not targeting.countries or viewer.country_code.upper() in targeting.countries)
        and (not targeting.languages or viewer.language in targeting.languages)
        and (not targeting.topics or bool(_shared_topics(targeting, viewer)))
    )


def reasons(targeting: Targeting, viewer: AdViewer) -> tuple[str, ...]:
    """What matched, as sentences for the viewer."""
    found = []
    if topics := _shared_topics(targeting, viewer):
        found.append(f"You follow {_listed(topics)}.")
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
