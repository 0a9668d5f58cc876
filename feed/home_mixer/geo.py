"""Where an address is, no finer than a region, from a local database in MaxMind's format."""

from __future__ import annotations

import logging
from functools import cache

import maxminddb
from django.conf import settings

log = logging.getLogger(__name__)


def locate(address: str) -> dict[str, str] | None:
    """Country and region codes, or None for private, unknown and malformed addresses and without a database."""
    reader = _reader(settings.GEOIP_DATABASE)
    if reader is None:
        return None
    try:
        found = reader.get(address)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    region = next(iter(found.get("subdivisions") or [{}]))
    return {"country": found.get("country", {}).get("iso_code", ""), "region": region.get("iso_code", "")}


@cache
def _reader(path: str) -> maxminddb.Reader | None:
    if not path:
        return None
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        log.warning("no locations: %s cannot be read: %s", path, error)
        return None
