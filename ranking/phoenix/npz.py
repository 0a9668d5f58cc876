"""Reads npz archives from anywhere: nothing in them is trusted.

Pickles are never loaded, every array is described before its data is read, and what is cut short, damaged or
swells is refused with the file, the array and what is wrong. Stored arrays are memory-mapped, so that several
processes share their pages.
"""

from __future__ import annotations

import lzma
import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ranking.phoenix.batch import BFLOAT16

Array = npt.NDArray[Any]

LOCAL_HEADER_BYTES = 30
CHUNK_BYTES = 1 << 20
# An archive member may be this many times its compressed size, and this much whatever its size.
MAX_EXPANSION = 200
FREE_EXPANSION_BYTES = 64 << 20
UNREADABLE = (
    ValueError,
    KeyError,
    SyntaxError,
    TypeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


class ArtifactError(ValueError):
    """An artifact cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Header:
    """Declared shape, type and place of one array inside an npz file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    data_offset: int  # from the start of the member
    stored: bool

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class NpzFile:
    """An npz archive whose members are described before they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise ArtifactError(f"{path}: no such file") from None
        except UNREADABLE as error:
            raise ArtifactError(f"{path}: not a complete npz archive ({error})") from None
        self.members: dict[str, zipfile.ZipInfo] = {}
        for info in self.archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in self.members:
                raise self.fail(name, "present twice")
            if name != info.filename:
                self.members[name] = info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def fail(self, name: str, problem: str) -> ArtifactError:
        return ArtifactError(f"{self.path}: array {name}: {problem}")

    def header(self, name: str) -> Header:
        """Shape and type as declared; refuses pickles, members that are too short and those that swell."""
        if name not in self.members:
            raise self.fail(name, "missing")
        info = self.members[name]
        try:
            with self.archive.open(info) as member:
                version = np.lib.format.read_magic(member)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[version]
                shape, fortran, dtype = read(member)
                offset = member.tell()
        except UNREADABLE as error:
            raise self.fail(name, f"unreadable header ({error})") from None
        if dtype.hasobject:
            raise self.fail(name, "holds pickled objects, which are never loaded")
        if dtype.kind not in "biufUS" and dtype != BFLOAT16:
            raise self.fail(name, f"type {dtype} is not a number or text")
        header = Header(shape, dtype, fortran, offset, info.compress_type == zipfile.ZIP_STORED)
        if any(length < 0 for length in shape) or header.nbytes != info.file_size - offset:
            raise self.fail(
                name,
                f"{dtype} {shape} declares {header.nbytes} bytes, {info.file_size - offset} bytes present",
            )
        if info.file_size > MAX_EXPANSION * info.compress_size + FREE_EXPANSION_BYTES:
            raise self.fail(name, f"swells from {info.compress_size} to {info.file_size} bytes")
        return header

    def read(self, name: str) -> Array:
        """The array, its checksum verified."""
        header = self.header(name)
        flat = np.empty(header.nbytes, np.uint8)
        at = 0
        for chunk in self._chunks(name, header):
            flat[at : at + len(chunk)] = np.frombuffer(chunk, np.uint8)
            at += len(chunk)
        return flat.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")

    def _chunks(self, name: str, header: Header) -> Iterator[bytes]:
        """The array's bytes in pieces; a checksum that does not fit is noticed with the last one."""
        left = header.nbytes
        try:
            with self.archive.open(self.members[name]) as member:
                member.read(header.data_offset)
                while left:
                    chunk = member.read(min(CHUNK_BYTES, left))
                    if not chunk:
                        raise EOFError("cut short")
                    left -= len(chunk)
                    yield chunk
        except UNREADABLE as error:
            raise self.fail(name, f"damaged ({error})") from None

    def map(self, name: str) -> Array:
        """The array memory-mapped (copy on write); a compressed one by way of a temporary file."""
        header = self.header(name)
        if header.nbytes == 0:
            return self.read(name)
        if not header.stored:
            return self._unpacked(name, header)
        info = self.members[name]
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            local = file.read(LOCAL_HEADER_BYTES)
            size = file.seek(0, 2)
        if len(local) < LOCAL_HEADER_BYTES or local[:4] != b"PK\x03\x04":
            raise self.fail(name, "damaged archive entry")
        names = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        start = info.header_offset + LOCAL_HEADER_BYTES + names + header.data_offset
        if start + header.nbytes > size:
            raise self.fail(name, "cut short")
        return _mapped(self.path, header, start)

    def _unpacked(self, name: str, header: Header) -> Array:
        with tempfile.TemporaryFile() as file:
            for chunk in self._chunks(name, header):
                file.write(chunk)
            file.flush()
            return _mapped(file, header, 0)


def _mapped(file: Any, header: Header, start: int) -> Array:
    order = "F" if header.fortran else "C"
    return np.memmap(file, dtype=header.dtype, mode="c", offset=start, shape=header.shape, order=order)
