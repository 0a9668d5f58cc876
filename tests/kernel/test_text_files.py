"""Text files from anywhere."""

import gzip
import os
from pathlib import Path

import pytest

from xsocial.kernel import text_files
from xsocial.kernel.errors import Invalid

TEXT = "name,número\r\nanna,1\n"


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_gzip_and_byte_order_marks_are_recognised_by_content(tmp_path: Path, prefix: bytes, packed: bool):
    data = prefix + TEXT.encode()
    (tmp_path / "file").write_bytes(gzip.compress(data) if packed else data)
    assert "".join(text_files.lines(tmp_path / "file")) == TEXT


def _damaged() -> bytes:
    data = bytearray(gzip.compress(TEXT.encode() * 99))
    data[20] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"caf\xe9\n", "is not UTF-8 text"),
        (gzip.compress(TEXT.encode() * 99)[:-9], "cannot be read"),
        (_damaged(), "cannot be read"),
        (b"\x1f\x8b" + os.urandom(99), "cannot be read"),
        (gzip.compress(b"a,b\n" * (20 << 20)), "unpacks to more than 200 times its size"),
        (b"x" * (9 << 20), "line 1: is longer than"),
        (gzip.compress(b"\0" * (9 << 20)), "line 1: is longer than"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, words: str):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(Invalid, match=words) as refused:
        list(text_files.lines(tmp_path / "file"))
    assert refused.value.message.startswith(str(tmp_path / "file"))


@pytest.mark.parametrize(("name", "words"), [("none", "No such file"), ("", "Is a directory")])
def test_missing_files_and_folders_are_named(tmp_path: Path, name: str, words: str):
    with pytest.raises(Invalid, match=words):
        list(text_files.lines(tmp_path / name))
