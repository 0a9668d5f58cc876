"""Every address that a page, a script or an explanation names leads somewhere."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from feed.receipts.rules import RULES

ROOT = Path(settings.BASE_DIR)
# As written in a template: a value stands for a part of the address, a query is nobody's business here.
_NAMED = re.compile(r'(?:href|action|formaction|hx-get|hx-post)="(/[^"?#]*)')
_VALUE = re.compile(r"\{\{[^}]*\}\}")
_CHOICE = re.compile(r"\{%")
_IN_SCRIPTS = re.compile(r'"(/[a-z][a-z/_-]*)"')


def in_templates() -> set[str]:
    files = (ROOT / "templates").rglob("*.html")
    found = {address for file in files for address in _NAMED.findall(file.read_text())}
    return {_VALUE.sub("1", address) for address in found if not _CHOICE.search(address)}


def in_scripts() -> set[str]:
    files = (ROOT / "static" / "js").glob("*.js")
    return {address for file in files for address in _IN_SCRIPTS.findall(file.read_text())}


def in_rules() -> set[str]:
    return {rule.address for rule in RULES.values() if rule.address}


@pytest.mark.parametrize("address", sorted(in_templates() | in_scripts() | in_rules()))
def test_it_leads_somewhere(address):
    resolve(address)
