"""Settings from the environment: typed, and clear about what is wrong."""

import subprocess
from pathlib import Path

import pytest

from xsocial.settings import build, env, secrets, stores


@pytest.fixture
def given(monkeypatch):
    """Set one variable; the .env file of the machine plays no part."""
    monkeypatch.setattr(env, "_from_file", {})
    return lambda value: monkeypatch.setenv("XSOCIAL_X", value)


def test_values_are_typed(given):
    given("12")
    assert env.integer("XSOCIAL_X", 1) == 12
    given("yes")
    assert env.boolean("XSOCIAL_X", False) is True
    given("a, b ,")
    assert env.words("XSOCIAL_X") == ["a", "b"]
    given("")
    assert env.port("XSOCIAL_X", 80) == 80


@pytest.mark.parametrize(
    ("value", "read", "message"),
    [
        ("many", lambda: env.integer("XSOCIAL_X", 1), "XSOCIAL_X must be a whole number, not 'many'"),
        ("70000", lambda: env.port("XSOCIAL_X", 1), "XSOCIAL_X must be between 1 and 65535, not 70000"),
        ("perhaps", lambda: env.boolean("XSOCIAL_X", True), "XSOCIAL_X must be 1 or 0, not 'perhaps'"),
        (
            "mysql://a/b",
            lambda: env.url("XSOCIAL_X", schemes={"redis"}),
            "XSOCIAL_X must be a URL beginning with redis://",
        ),
        ("", lambda: env.text("XSOCIAL_X"), "XSOCIAL_X must be set"),
    ],
)
def test_a_bad_value_names_its_variable(given, value: str, read, message: str):
    given(value)
    with pytest.raises(env.SettingError, match="XSOCIAL_X") as raised:
        read()
    assert str(raised.value) == message


def test_a_real_variable_wins_over_the_file(monkeypatch, tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text('# comment\nexport XSOCIAL_X="from file"\n\nXSOCIAL_Y=1\n')
    monkeypatch.setattr(env, "_from_file", env._file_values(file))
    assert env.text("XSOCIAL_X") == "from file"
    monkeypatch.setenv("XSOCIAL_X", "real")
    assert env.text("XSOCIAL_X") == "real"
    assert env.integer("XSOCIAL_Y", 0) == 1


def test_a_database_url_becomes_django_settings():
    settings = stores.external_database("postgres://anna:p%40ss@db.example:5433/site?sslmode=require")
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("anna", "p@ss", "db.example")
    assert (settings["PORT"], settings["NAME"], settings["OPTIONS"]["sslmode"]) == (5433, "site", "require")


@pytest.mark.parametrize("url", ["postgres://db.example", "postgres://db.example:port/site"])
def test_an_incomplete_database_url_is_refused(url: str):
    with pytest.raises(env.SettingError, match="DATABASE_URL"):
        stores.external_database(url)


def test_only_asgi_processes_pool_their_connections():
    pooled = stores.database(pooled=True, pool_size=4)
    assert pooled["CONN_MAX_AGE"] == 0
    assert pooled["OPTIONS"]["pool"]["max_size"] == 4
    kept = stores.database(pooled=False, pool_size=4)
    assert kept["CONN_MAX_AGE"] > 0
    assert "pool" not in kept.get("OPTIONS", {})


@pytest.mark.parametrize(("threshold", "is_off"), [(2, False), (None, True)])
def test_behind_a_pooler_by_transaction_no_cursor_is_left_on_the_server(monkeypatch, threshold, is_off):
    monkeypatch.setattr(stores, "PREPARED", {"prepare_threshold": threshold})
    assert stores.database(pooled=True, pool_size=4)["DISABLE_SERVER_SIDE_CURSORS"] is is_off


def test_the_development_key_is_made_once_and_private(tmp_path: Path):
    key = secrets.development_key(tmp_path / "data")
    assert len(key) > 50
    assert secrets.development_key(tmp_path / "data") == key
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret_key"]
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0


def test_the_build_is_the_commit_where_there_is_one(tmp_path):
    assert build.of(tmp_path) == build.UNKNOWN
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert len(build.of(tmp_path)) >= 7
    assert commit.startswith(build.of(tmp_path))
