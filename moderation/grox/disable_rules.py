"""Which steps a deployment leaves out, so that one code base can run as several.

A site that is one deployment (`all`, the default) leaves nothing out. The other names and rules are the
published ones: a deployment off production looks and writes nothing, and writing vectors or policy results is
the business of one deployment each.
"""

from enum import StrEnum

from django.conf import settings


class Deployment(StrEnum):
    """What this process is, by the setting `GROX_DEPLOYMENT`."""

    ALL = "all"
    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"
    EMBEDDING_PROD = "embedding_prod"
    PTOS_PROD = "ptos_prod"


class DisableRule(StrEnum):
    """A step that carries the rule is skipped where the rule holds."""

    LOCAL = "local"
    DEV = "dev"
    NON_PROD = "non_prod"
    NON_EMBEDDING_PROD = "non_embedding_prod"
    NON_PTOS_PROD = "non_ptos_prod"


_PRODUCTION = {
    DisableRule.NON_PROD: Deployment.PROD,
    DisableRule.NON_EMBEDDING_PROD: Deployment.EMBEDDING_PROD,
    DisableRule.NON_PTOS_PROD: Deployment.PTOS_PROD,
}


def deployment() -> Deployment:
    """Raise ValueError for a name that nobody knows."""
    return Deployment(settings.GROX_DEPLOYMENT)


def holding(rules: tuple[DisableRule, ...]) -> DisableRule | None:
    """The first rule that holds here; None where the step may run."""
    here = deployment()
    return next((rule for rule in rules if _holds(rule, here)), None)


def _holds(rule: DisableRule, here: Deployment) -> bool:
    if here is Deployment.ALL:
        return False
    if rule in _PRODUCTION:
        return here is not _PRODUCTION[rule]
    return rule == here
