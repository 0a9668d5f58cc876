"""What an installed site keeps: files that are there, and a page that knows nobody."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from PIL import Image

from tests.factories import UserFactory


def test_the_manifest_names_pictures_of_the_sizes_it_says():
    manifest = json.loads((Path(settings.BASE_DIR) / "static/manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        path = finders.find(icon["src"])
        if icon["type"] == "image/png":
            with Image.open(path) as picture:
                assert f"{picture.width}x{picture.height}" == icon["sizes"]
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}


@pytest.mark.django_db
def test_the_worker_keeps_what_the_page_needs_and_the_page_knows_nobody(client):
    client.force_login(UserFactory(username="reader"))
    worker = client.get("/service-worker.js")
    assert worker["Content-Type"] == "text/javascript"
    assert "no-cache" in worker["Cache-Control"]
    shell = json.loads(re.search(r"SHELL = (\[.*\]);", worker.content.decode())[1])
    page = client.get(shell[0]).content.decode()
    assert set(re.findall(r'href="(/static/[^"]+)"', page)) == set(shell[1:])
    assert "reader" not in page
