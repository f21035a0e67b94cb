r"""Text files as blocks of whole lines: UTF-8 whatever they came in, every line ending in \n.

A byte order mark says in what a file is written, and beats what its feed says. Without one and
without a word in the settings a file is UTF-8 or it is refused: to guess would spoil names
silently. A NUL is a character like any other.
"""

import codecs
from collections.abc import Iterator
from itertools import chain

from pipelines.landing.files import BOM, Limits, Unreadable
from pipelines.landing.kinds_of_files import HEAD_BYTES, misnamed

_BYTES_OF_A_LINE = 64
# The marks of UTF-32 begin like those of UTF-16.
_MARKS = (
    (BOM, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_blocks(
    chunks: Iterator[bytes], encoding: str, block_bytes: int, limits: Limits, wanted: str
) -> Iterator[bytes]:
    r"""UTF-8 in blocks of whole lines that all end in \n; CRLF and CR are made \n.

    A block is about ``block_bytes`` long, or as long as its only line. ``wanted`` names the format
    for messages: what is plainly another one is refused.
    """
    waiting: list[bytes] = []
    size, weight, open_bytes, line = 0, 0, 0, 1
    for chunk in _unix_lines(_as_utf8(_told_apart(chunks, wanted), encoding, wanted)):
        waiting.append(chunk)
        size += len(chunk)
        weight += work_of(chunk)
        last_end = chunk.rfind(b"\n")
        open_bytes = open_bytes + len(chunk) if last_end < 0 else len(chunk) - last_end - 1
        if weight >= block_bytes and open_bytes < size:
            whole = b"".join(waiting)
            cut = size - open_bytes
            yield _valid(whole[:cut], line, limits)
            line += whole.count(b"\n", 0, cut)
            waiting, size, weight = [whole[cut:]], open_bytes, open_bytes
        elif open_bytes > limits.line_bytes:
            break
    last = b"".join(waiting)
    if last:
        yield _valid(last if last.endswith(b"\n") else last + b"\n", line, limits)


def work_of(data: bytes) -> int:
    """What lines take in memory, in bytes: short ones more than they are long."""
    return max(len(data), _BYTES_OF_A_LINE * data.count(b"\n"))


def _told_apart(chunks: Iterator[bytes], wanted: str) -> Iterator[bytes]:
    """The chunks, the first of which holds a whole head; a file of another kind is refused."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    said = misnamed(head.removeprefix(BOM), wanted)
    if said:
        raise Unreadable(said)
    yield head
    yield from chunks


def _as_utf8(chunks: Iterator[bytes], encoding: str, wanted: str) -> Iterator[bytes]:
    head = next(chunks)
    for mark, marked in _MARKS:
        if head.startswith(mark):
            encoding, head = marked, head.removeprefix(mark)
            break
    else:
        _refuse_bare_utf16(head, encoding)
    if encoding == "utf-8":
        yield head
        yield from chunks
        return
    yield from _told_apart(_transcoded(head, chunks, encoding), wanted)


def _refuse_bare_utf16(head: bytes, encoding: str) -> None:
    """Say what a file is that would pass for UTF-8 with a NUL at every other place."""
    zeros = [byte == 0 for byte in head[:4]]
    orders = {"le": [False, True] * 2, "be": [True, False] * 2}
    order = next((name for name, places in orders.items() if places == zeros), None)
    if encoding == "utf-8" and order:
        raise Unreadable(
            "the file looks like UTF-16 without a byte order mark; "
            f'set encoding = "utf-16-{order}" for its feed'
        )


def _transcoded(head: bytes, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = _LineEnds()
    # The end is not told by an empty chunk: a piece of zstd may hold no whole block.
    pieces = chain(((chunk, False) for chunk in chain([head], chunks)), [(b"", True)])
    try:
        for chunk, final in pieces:
            text = decoder.decode(chunk, final)
            lines.count(text)
            yield text.encode()
        return
    except UnicodeDecodeError as error:
        lines.count(error.object[: error.start].decode(encoding, "replace"))
        said = f"byte 0x{error.object[error.start]:02x} in line {lines.line}, {error.reason}"
    except UnicodeError as error:
        said = f"line {lines.line} or later, {error}"
    raise Unreadable(f"the file is not {encoding}: {said}; set encoding for its feed")


class _LineEnds:
    r"""Counts lines that end in \n, \r\n or \r, in pieces of text."""

    def __init__(self) -> None:
        self.line = 1
        self._after_cr = False

    def count(self, text: str) -> None:
        """Count the line ends of the next piece."""
        if text:
            ends = text.count("\n") + text.count("\r") - text.count("\r\n")
            self.line += ends - (self._after_cr and text.startswith("\n"))
            self._after_cr = text.endswith("\r")


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


def _valid(block: bytes, first_line: int, limits: Limits) -> bytes:
    long = _long_line(block, limits.line_bytes)
    if long is not None:
        line = first_line + block.count(b"\n", 0, long)
        raise Unreadable(
            f"line {line} is longer than {limits.line_bytes:,} bytes, the setting max_line_bytes"
        )
    try:
        # To see that there is nothing but ASCII takes no memory.
        if not block.isascii():
            block.decode()
    except UnicodeDecodeError as error:
        line = first_line + block.count(b"\n", 0, error.start)
        place = error.start - block.rfind(b"\n", 0, error.start)
        said = f"byte 0x{block[error.start]:02x} in line {line}, at byte {place} of it"
        raise Unreadable(
            f"the file is not UTF-8: {said}; where it is Latin-1 or Windows-1252, "
            'set encoding = "latin-1" or "cp1252" for its feed'
        ) from None
    return block


def _long_line(block: bytes, most: int) -> int | None:
    """Where the first line begins that is longer than ``most`` bytes."""
    start = 0
    while start + most < len(block):
        end = block.rfind(b"\n", start, start + most + 1)
        if end < 0:
            return start
        start = end + 1
    return None
