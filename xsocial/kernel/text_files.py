"""Lines of text files from anywhere: gzip or not, with or without a byte order mark; nothing in them is trusted."""

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

from xsocial.kernel.errors import Invalid

GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_CHARS = 8 << 20
# A gzip file may unpack to this many times its size, and to this much whatever its size.
MAX_EXPANSION = 200
FREE_EXPANSION_BYTES = 64 << 20


def lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, read as they are asked for.

    Gzip is recognised by its first two bytes. Raises Invalid naming the file and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            is_packed = file.peek(2)[:2] == GZIP_MAGIC
            most = path.stat().st_size * MAX_EXPANSION + FREE_EXPANSION_BYTES if is_packed else math.inf
            plain = gzip.GzipFile(fileobj=file) if is_packed else file
            with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as text:
                yield from _bounded(text, path, most)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: is not UTF-8 text ({error.reason}).") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error).removesuffix(".")
        raise Invalid(f"{path}: cannot be read ({reason}).") from None


def _bounded(text: io.TextIOWrapper, path: Path, most: float) -> Iterator[str]:
    """The same lines, as long as neither one of them nor all together are monstrous."""
    total = number = 0
    while line := text.readline(MAX_LINE_CHARS):
        number += 1
        total += len(line)
        if len(line) == MAX_LINE_CHARS:
            raise Invalid(f"{path}, line {number}: is longer than {MAX_LINE_CHARS:,} characters.")
        if total > most:
            raise Invalid(f"{path}: unpacks to more than {MAX_EXPANSION} times its size.")
        yield line
