"""What is written down stays true: settings, Makefile, compose file, map of commands."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
APPS = ("xsocial", "accounts", "posts", "feed", "ranking", "moderation", "ads")
# Set by the test runner, not by people.
INTERNAL = {"PYTEST_XDIST_WORKER"}


def sources() -> list[Path]:
    return [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]


def test_every_environment_variable_is_in_the_example():
    reading = re.compile(r"""env\.(?:text|choice|integer|port|boolean|words|path|url)\(\s*"([A-Z0-9_]+)\"""")
    read = {name for path in sources() for name in reading.findall(path.read_text())} - INTERNAL
    listed = set(re.findall(r"^# ([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - listed == set()


def test_only_env_reads_environment_variables():
    reading = re.compile(r"os\.(?:environ\.get\(|getenv\()")
    offenders = [str(path.relative_to(ROOT)) for path in sources() if reading.search(path.read_text())]
    assert offenders == ["xsocial/settings/env.py"]


def test_every_makefile_target_is_explained():
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    explained = re.findall(r"^\| `make ([a-z]+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(targets) == sorted(explained)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-media.txt"])
def test_every_requirement_is_pinned_and_has_a_reason(name: str):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    assert [line for line in lines if not re.fullmatch(r"\S+==\S+ +# \S.*", line)] == []


def test_the_compose_file_runs_every_process_of_ours():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    assert {"postgres", "valkey", "migrate", "web", "relay", "thunder", "worker", "beat"} <= set(services)
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
    queues = next(part for part in services["worker"]["command"] if part.startswith("--queues="))
    assert queues.removeprefix("--queues=").split(",") == settings.CELERY_QUEUES


def test_queues_are_named_alike_wherever_workers_are_started():
    from xsocial.services import up

    queues = ",".join(settings.CELERY_QUEUES)
    assert queues == up.QUEUES
    assert queues in (ROOT / "Procfile").read_text()


def anchors(text: str) -> set[str]:
    """The names of a page's headings, as a repository's web pages make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    for link in links:
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_every_command_that_is_written_down_exists():
    commands = {"up", "services", *get_commands()}
    for page in PAGES:
        named = set(re.findall(r"manage\.py ([a-z][a-z_]+)", page.read_text()))
        assert named <= commands, page


def test_contracts_cover_every_island():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (islands,) = (contract for contract in contracts if contract["name"].startswith("Islands"))
    for module in islands["source_modules"]:
        path = ROOT / module.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), module
