"""Text files from anywhere."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from xsocial.kernel import text_files
from xsocial.kernel.errors import Invalid

TEXT = "name,número\r\nanna,1\n"


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_gzip_and_byte_order_marks_are_recognised_by_content(tmp_path: Path, prefix: bytes, is_packed: bool):
    data = prefix + TEXT.encode()
    (tmp_path / "file").write_bytes(gzip.compress(data) if is_packed else data)
    assert "".join(text_files.lines(tmp_path / "file")) == TEXT


def packed() -> bytearray:
    return bytearray(gzip.compress(TEXT.encode() * 99))


def damaged() -> bytes:
    data = packed()
    data[20] ^= 0xFF
    return bytes(data)


# Made when they are needed: a gzip file carries the second it was made in, and some of these are large.
UNREADABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "another encoding": (lambda: b"caf\xe9\n", "is not UTF-8 text"),
    "cut short": (lambda: bytes(packed()[:-9]), "cannot be read"),
    "damaged": (damaged, "cannot be read"),
    "noise": (lambda: b"\x1f\x8b" + os.urandom(99), "cannot be read"),
    "a bomb": (lambda: gzip.compress((b"a" * (1 << 20) + b"\n") * 80), "unpacks to more than 200 times its size"),
    "one long line": (lambda: b"x" * (9 << 20), "line 1: is longer than"),
    "one long line of nothing": (lambda: gzip.compress(b"\0" * (9 << 20)), "line 1: is longer than"),
}


@pytest.mark.parametrize(("make", "words"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_cannot_be_read_is_named(tmp_path: Path, make: Callable[[], bytes], words: str):
    (tmp_path / "file").write_bytes(make())
    with pytest.raises(Invalid, match=words) as refused:
        list(text_files.lines(tmp_path / "file"))
    assert refused.value.message.startswith(str(tmp_path / "file"))


@pytest.mark.parametrize(("name", "words"), [("none", "No such file"), ("", "Is a directory")])
def test_missing_files_and_folders_are_named(tmp_path: Path, name: str, words: str):
    with pytest.raises(Invalid, match=words):
        list(text_files.lines(tmp_path / name))
