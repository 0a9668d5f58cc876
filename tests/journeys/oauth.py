"""The person's half of an OAuth log-in, played with Django's test client."""

import re
from html import unescape
from urllib.parse import urlsplit

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def approve(client, address: str) -> str:
    """Opens the address as the signed-in person, presses "allow", returns the shown code."""
    parts = urlsplit(address)
    page = client.get(f"{parts.path}?{parts.query}")
    assert page.status_code == 200, page.content[:500]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', page.content.decode()))
    fields = {name: unescape(value) for name, value in fields.items()}
    answer = client.post(parts.path, {**fields, "allow": "Authorize"})
    assert answer.status_code == 200, answer.content[:500]
    found = re.search(r'data-code="([^"]+)"', answer.content.decode())
    assert found, answer.content[:1000]
    return found[1]
