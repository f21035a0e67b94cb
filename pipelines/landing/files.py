"""Landed files as bytes: what they are called, their checksum, and their content in blocks.

Files are streamed: the checksum is that of the bytes on disk, taken while they are read.
"""

import codecs
import gzip
import hashlib
import io
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import zstandard

CHUNK = 1 << 20
_SPOOLED_BYTES = 64 << 20
BOM = codecs.BOM_UTF8


class Unreadable(Exception):  # noqa: N818
    """A file that cannot be read to its end, and why: one clear sentence."""


@dataclass(frozen=True)
class RawFile:
    """A file of a landing date; ``name`` is its posix path within the landing date's folder."""

    landing_date: date
    name: str
    path: Path


class Hashed(io.RawIOBase):
    """An open file that is hashed as it is read. Closing this leaves the file open."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read and hash."""
        got = self._file.readinto(buffer)
        self._hash.update(memoryview(buffer)[:got])
        return got

    def digest(self) -> str:
        """SHA-256 of the whole file, also where its reader gave up before the end."""
        while chunk := self._file.read(CHUNK):
            self._hash.update(chunk)
        return self._hash.hexdigest()


def content(stream: Hashed, name: str) -> Iterator[bytes]:
    """The decompressed bytes of a file, in chunks."""
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
        raise Unreadable(f"the file is no sound gzip: {error}") from None
    except zstandard.ZstdError as error:
        raise Unreadable(f"the file is no sound zstd: {error}") from None
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror or error}") from None


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
        while rest:
            started = True
            yield frame.decompress(rest)
            rest = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame, started = zstandard.ZstdDecompressor().decompressobj(), False
    if started:
        raise Unreadable("the zstd stream ends before its end: the file is cut short")


def text_blocks(chunks: Iterator[bytes], encoding: str, block_bytes: int) -> Iterator[bytes]:
    r"""UTF-8 in blocks of whole lines that all end in \n; CRLF and CR are made \n.

    A block is about ``block_bytes`` long; a single line that is longer refuses the file.
    """
    waiting: list[bytes] = []
    size, line = 0, 1
    for chunk in _unix_lines(_as_utf8(chunks, encoding)):
        waiting.append(chunk)
        size += len(chunk)
        if size >= block_bytes:
            whole = b"".join(waiting)
            cut = whole.rfind(b"\n") + 1
            if not cut:
                raise Unreadable(f"a line is longer than {block_bytes:,} bytes")
            yield _valid(whole[:cut], line)
            line += whole.count(b"\n", 0, cut)
            waiting, size = [whole[cut:]], len(whole) - cut
    last = b"".join(waiting)
    if last:
        yield _valid(last if last.endswith(b"\n") else last + b"\n", line)


def _as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from _without_bom(chunks)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise Unreadable(f"the file is not {encoding}: {error}") from None


def _without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(BOM):
            break
    yield head.removeprefix(BOM)
    yield from chunks


def _unix_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        whole = held + chunk
        # The \n that belongs to a \r may stand in the next chunk.
        held = b"\r" if whole.endswith(b"\r") else b""
        whole = whole.removesuffix(b"\r")
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield whole
    if held:
        yield b"\n"


def _valid(block: bytes, first_line: int) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError as error:
        line = first_line + block.count(b"\n", 0, error.start)
        said = f"byte 0x{block[error.start]:02x} in line {line}"
        raise Unreadable(f"the file is not UTF-8: {said}; set encoding for its feed") from None
    return block
