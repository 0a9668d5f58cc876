"""The command that runs golden cases, and its exit codes."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

GOLDEN = Path(__file__).parents[1] / "fixtures" / "ads" / "blend_cases.json"


def run(path, **options):
    out = StringIO()
    call_command("check_blending", str(path), stdout=out, **options)
    return out.getvalue()


def write(folder, document):
    path = folder / "cases.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_golden_file_agrees():
    assert run(GOLDEN).strip() == "40 of 40 cases agree"
    assert json.loads(run(GOLDEN, json=True)) == {"num_cases": 40, "num_differing": 0, "differences": {}}


def test_a_difference_is_named_and_fails(tmp_path, capsys):
    document = json.loads(GOLDEN.read_text())
    document["cases"][6]["expected"]["safe_gap"].reverse()
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("check_blending", str(write(tmp_path, document)), stdout=out)
    assert stop.value.code == 1
    assert "s007: safe_gap: expected" in out.getvalue()
    assert "39 of 40 cases agree" in out.getvalue()


def test_other_constants_are_a_difference(tmp_path):
    document = {**json.loads(GOLDEN.read_text())}
    document["constants"] = {**document["constants"], "min_posts": 6}
    with pytest.raises(SystemExit):
        run(write(tmp_path, document))


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "[]",
        {"format": "something/1", "cases": []},
        {"format": "xsocial-ads-blend/1", "cases": []},
        {"format": "xsocial-ads-blend/1", "cases": [{"id": "a"}]},
        {"format": "xsocial-ads-blend/1", "cases": [1]},
        {"format": "xsocial-ads-blend/1", "constants": 5, "cases": [{"id": "a"}]},
    ],
    ids=str,
)
def test_a_file_that_cannot_be_used_is_bad_input(tmp_path, document):
    with pytest.raises(CommandError) as error:
        run(write(tmp_path, document))
    assert error.value.returncode == 2
    assert "\n" not in str(error.value)


def test_a_missing_file_is_bad_input(tmp_path):
    with pytest.raises(CommandError) as error:
        run(tmp_path / "absent.json")
    assert error.value.returncode == 2
