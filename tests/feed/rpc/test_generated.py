"""The committed messages are what the protos say."""

from feed.rpc import generate


def test_generated_modules_are_current():
    assert generate.main(["--check"]) == 0


def test_a_changed_module_is_noticed(tmp_path, monkeypatch, capsys):
    generate.generate(tmp_path)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    changed = tmp_path / generate.PACKAGE / "thunder_pb2.py"
    changed.write_text(changed.read_text() + "# edited\n")
    assert generate.main(["--check"]) == 1
    assert "thunder_pb2.py is not what the protos say" in capsys.readouterr().err
