"""The one reader of environment variables: typed, and clear about the name of a bad one.

Real variables win over a `.env` file beside `manage.py`. An empty variable counts as not set.
"""

import os
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ENV_FILE = BASE_DIR / ".env"

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class SettingError(Exception):
    """An environment variable is missing or cannot be understood. The message names it."""


def _file_values(path: Path) -> dict[str, str]:
    """Parse `NAME=value` lines; blank lines and those beginning with # are skipped."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.removeprefix("export ").partition("=") for line in lines if "=" in line and line[0] != "#")
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


_from_file = _file_values(ENV_FILE)


def _raw(name: str) -> str:
    return os.environ.get(name) or _from_file.get(name, "")


def text(name: str, default: str | None = None) -> str:
    """The variable as text; without a default it is required."""
    value = _raw(name) or default
    if value is None:
        raise SettingError(f"{name} must be set")
    return value


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """The variable as a whole number inside [minimum, maximum]."""
    raw = _raw(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {raw!r}") from None
    if value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise SettingError(f"{name} must be {limits}, not {value}")
    return value


def port(name: str, default: int) -> int:
    """The variable as a TCP port."""
    return integer(name, default, minimum=1, maximum=65535)


def boolean(name: str, default: bool) -> bool:
    """The variable as a switch: 1/true/yes/on or 0/false/no/off."""
    raw = _raw(name).lower()
    if not raw:
        return default
    if raw not in TRUE | FALSE:
        raise SettingError(f"{name} must be 1 or 0, not {raw!r}")
    return raw in TRUE


def choice(name: str, default: str, *, among: Collection[str]) -> str:
    """The variable as one of a few words."""
    value = _raw(name) or default
    if value not in among:
        raise SettingError(f"{name} must be one of {', '.join(sorted(among))}, not {value!r}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """The variable as a list split at commas."""
    raw = _raw(name)
    return [word.strip() for word in raw.split(",") if word.strip()] if raw else list(default)


def path(name: str, default: Path) -> Path:
    """The variable as an absolute path; a relative one counts from the repository."""
    raw = _raw(name)
    return (BASE_DIR / Path(raw).expanduser()).resolve() if raw else default


def url(name: str, *, schemes: set[str], default: str = "") -> str:
    """The variable as a URL of one of the schemes, or the default."""
    raw = _raw(name)
    if not raw:
        return default
    parts = urlsplit(raw)
    if parts.scheme not in schemes or not parts.netloc:
        raise SettingError(f"{name} must be a URL beginning with {' or '.join(f'{s}://' for s in sorted(schemes))}")
    return raw
