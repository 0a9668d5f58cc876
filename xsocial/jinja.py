"""The environment of templates in `templates/jinja`: Django's engine, with the small parts that both share."""

from typing import Any

from jinja2 import Environment

from accounts.templatetags import ui


def environment(**options: Any) -> Environment:
    """Named in the settings; the options are Django's."""
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)
    made.globals.update(icon=ui.icon, avatar=ui.avatar, ago=ui.ago)
    return made
