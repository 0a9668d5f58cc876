"""A stranger's command line client, toot, run as a program against the running site."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import UserFactory
from tests.journeys.oauth import OUT_OF_BAND, approve

pytestmark = pytest.mark.django_db(transaction=True)


class Toot:
    """toot with a configuration folder of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "HOME": str(home)}

    def run(self, *arguments: str) -> str:
        program = Path(sys.executable).with_name("toot")
        done = subprocess.run(
            [program, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def register(live_server, client, user, home: Path) -> Toot:
    """What `toot login` does, with the browser's part played by the test client."""
    app = client.post(
        "/api/v1/apps",
        {"client_name": "toot", "redirect_uris": OUT_OF_BAND, "scopes": "read write follow"},
        content_type="application/json",
    ).json()
    client.force_login(user)
    query = f"response_type=code&redirect_uri={OUT_OF_BAND}&scope=read+write+follow&client_id={app['client_id']}"
    code = approve(client, f"{live_server.url}/oauth/authorize/?{query}")
    token = client.post(
        "/oauth/token",
        {
            "grant_type": "authorization_code",
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "code": code,
            "redirect_uri": OUT_OF_BAND,
        },
    ).json()
    host = live_server.url.removeprefix("http://")
    account = f"{user.username}@{host}"
    keys = {"instance": host, "base_url": live_server.url}
    secrets = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    config = {
        "apps": {host: {**keys, **secrets}},
        "users": {account: {"instance": host, "username": user.username, "access_token": token["access_token"]}},
        "active_user": account,
    }
    folder = home / "toot"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    return Toot(home)


def test_post_read_react_and_follow(live_server, client, tmp_path):
    orla, tide = UserFactory(username="orla"), UserFactory(username="tide")
    mine = register(live_server, client, orla, tmp_path / "orla")
    theirs = register(live_server, client, tide, tmp_path / "tide")

    assert "@orla" in mine.run("whoami")
    posted = json.loads(mine.run("post", "Low tide at six", "--json"))

    theirs.run("follow", "orla")
    theirs.run("favourite", posted["id"])
    theirs.run("reblog", posted["id"])
    theirs.run("bookmark", posted["id"])
    assert "Low tide at six" in theirs.run("status", posted["id"])
    assert "tide" in mine.run("notifications")
    assert "Low tide at six" in theirs.run("thread", posted["id"])

    theirs.run("lists", "create", "Close", "--replies-policy", "list")
    theirs.run("lists", "add", "Close", "orla")
    assert "orla" in theirs.run("lists", "accounts", "Close")
    assert "Low tide at six" in theirs.run("timelines", "list", "Close")
    theirs.run("lists", "remove", "Close", "orla")
    theirs.run("lists", "delete", "Close")
    assert "no lists" in theirs.run("lists", "list")

    theirs.run("mute", "orla")
    theirs.run("unmute", "orla")
    theirs.run("block", "orla")
    theirs.run("unblock", "orla")
    mine.run("delete", posted["id"])
