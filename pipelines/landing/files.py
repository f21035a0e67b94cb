"""Landed files as bytes: what they are called, their checksum, and their content unpacked.

Files are streamed: the checksum is that of the bytes on disk, taken while they are read.
"""

import codecs
import gzip
import hashlib
import io
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import zstandard

from pipelines.errors import TidemarkError
from pipelines.landing.kinds_of_files import HEAD_BYTES, misnamed

CHUNK = 1 << 20
_SPOOLED_BYTES = 64 << 20
# zstd makes at most 128 KiB of four bytes: a piece of this size makes at most 64 MiB.
_ZSTD_PIECE = 2 << 10
_SPELLED = re.compile(rb"\\x([0-9a-f]{2})")
BOM = codecs.BOM_UTF8


class Unreadable(Exception):  # noqa: N818
    """A file that cannot be read to its end, and why: one clear sentence."""


@dataclass(frozen=True)
class RawFile:
    """A file of a landing date; ``name`` is its posix path within the landing date's folder."""

    landing_date: date
    name: str
    path: Path


def called(name: str) -> str:
    """A name as text that can be written; of bytes that are no UTF-8 as ``\\xff``."""
    return name if name.isascii() else os.fsencode(name).decode(errors="backslashreplace")


def path_of(folder: str | Path, name: str) -> Path:
    """Where the file lies that is called so."""
    path = Path(folder, name)
    if "\\x" not in name or path.exists():
        return path
    spelled = _SPELLED.sub(lambda byte: bytes.fromhex(byte[1].decode()), name.encode())
    return Path(folder, os.fsdecode(spelled))


@dataclass(frozen=True)
class Limits:
    """The longest file that is read, counted when it is unpacked, and its longest line.

    What is in work at once is bounded by blocks, so that no ratio of packed to unpacked bytes needs
    a limit of its own: a bomb costs time up to ``file_bytes``, and no memory.
    """

    file_bytes: int = 64 << 30
    line_bytes: int = 64 << 20


class Hashed(io.RawIOBase):
    """An open file that is hashed as it is read. Closing this leaves the file open."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.head = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read and hash."""
        got = self._file.readinto(buffer)
        self._note(memoryview(buffer)[:got])
        return got

    def read(self, size: int = -1, /) -> bytes:
        """Read and hash, without the copy that :meth:`readinto` costs."""
        chunk = self._file.read(size)
        self._note(chunk)
        return chunk

    def _note(self, chunk: "bytes | memoryview") -> None:
        self._hash.update(chunk)
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(chunk[:HEAD_BYTES])

    def digest(self) -> str:
        """SHA-256 of the whole file, also where its reader gave up before the end."""
        while chunk := self._file.read(CHUNK):
            self._hash.update(chunk)
        return self._hash.hexdigest()


def content(stream: Hashed, name: str, limits: Limits) -> Iterator[bytes]:
    """The decompressed bytes of a file, in chunks."""
    size = 0
    for chunk in _unpacked(stream, name):
        size += len(chunk)
        if size > limits.file_bytes:
            raise Unreadable(
                f"the file is longer than {limits.file_bytes:,} bytes when it is unpacked, "
                "the setting max_file_bytes"
            )
        yield chunk


def _unpacked(stream: Hashed, name: str) -> Iterator[bytes]:
    try:
        if name.lower().endswith(".gz"):
            yield from _chunks(gzip.GzipFile(fileobj=io.BufferedReader(stream, CHUNK)))
        elif name.lower().endswith(".zst"):
            yield from _zstd_chunks(stream)
        else:
            yield from _chunks(stream)
    except EOFError:
        raise Unreadable("the gzip stream ends before its end: the file is cut short") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unreadable(_unsound(stream, "gzip", error)) from None
    except zstandard.ZstdError as error:
        raise Unreadable(_unsound(stream, "zstd", error)) from None
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror or error}") from None


def _unsound(stream: Hashed, packed: str, error: Exception) -> str:
    return misnamed(stream.head, packed) or f"the file is no sound {packed}: {error}"


@contextmanager
def spooled(chunks: Iterator[bytes]) -> Iterator[IO[bytes]]:
    """The bytes as a file that can be read at any place, in memory while it is small."""
    with tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as whole:
        for chunk in chunks:
            whole.write(chunk)
        whole.seek(0)
        yield whole


def _chunks(stream: "io.RawIOBase | gzip.GzipFile") -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _zstd_chunks(stream: Hashed) -> Iterator[bytes]:
    # zstandard's own stream reader takes a frame that is cut short for the end of the file.
    frame = zstandard.ZstdDecompressor().decompressobj()
    started = False
    while rest := stream.read(CHUNK):
        at = 0
        while at < len(rest):
            piece = rest[at : at + _ZSTD_PIECE]
            started = True
            yield frame.decompress(piece)
            at += len(piece)
            if frame.eof:
                at -= len(frame.unused_data)
                frame, started = zstandard.ZstdDecompressor().decompressobj(), False
    if started:
        raise Unreadable("the zstd stream ends before its end: the file is cut short")


@contextmanager
def guarded(said: str) -> Iterator[None]:
    """Turn what polars, pyarrow or Python raise on a file into a refusal of the file.

    polars panics are no ``Exception``. What is no fault of the file passes.
    """
    try:
        yield
    except (Unreadable, TidemarkError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise Unreadable(f"{said}: {why[0]}") from None
