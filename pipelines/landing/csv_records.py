"""CSV records one by one: for lines with odd quotes, and for headers.

A field that begins with a quote runs to its closing quote, over line ends if it must; a doubled
quote in it is one. A quote inside a field that does not begin with one is a character like any
other. A stray quote costs its own line, not what follows: see :func:`read_record`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

# An opening quote whose closing one is further away than this is a stray one.
MAX_RECORD_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """One record: its fields, or what is wrong with it; where it ends, and the lines it spans."""

    fields: list[str]
    problem: str | None
    end: int
    lines: int


@cache
def _field(delimiter: bytes) -> re.Pattern[bytes]:
    d = rb"\x%02x" % delimiter[0]
    quoted = rb'"([^"]*+(?:""[^"]*+)*+)"'
    bare = rb'((?!")[^' + d + rb"\n]*+)"
    return re.compile(b"(?:" + quoted + b"|" + bare + b")(" + d + rb"|\n)")


_CLOSED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


def parse_record(
    data: bytes, start: int, delimiter: bytes, stop: int, *, final: bool
) -> Record | None:
    """The record that starts at ``start``; None where it is cut off by ``stop`` and goes on."""
    fields: list[str] = []
    at = start
    pattern = _field(delimiter)
    limit = min(stop, start + MAX_RECORD_BYTES)
    while True:
        inside = data[at : at + 1] == b'"'
        match = pattern.match(data, at, limit if inside else stop)
        if match is None:
            closed = _CLOSED.match(data, at, limit) is not None
            if not closed and not final and limit == stop:
                return None
            return _spoiled(data, start, closed)
        quoted, bare, end = match.groups()
        text = bare if quoted is None else quoted.replace(b'""', b'"')
        fields.append(text.decode())
        at = match.end()
        if end == b"\n":
            return Record(fields, None, at, data.count(b"\n", start, at))


def _spoiled(data: bytes, start: int, closed: bool) -> Record:
    problem = "has text after a closing quote" if closed else "has a quote that is never closed"
    return Record([], problem, data.index(b"\n", start) + 1, 1)


def read_record(
    data: bytes,
    start: int,
    stop: int,
    *,
    delimiter: bytes,
    width: int,
    final: bool,
    rows_between: Callable[[int], bool],
) -> Record | None:
    """The record at ``start``, with the number of fields checked.

    Where a record seems to span lines and every line between its first and its last is a row by
    itself (``rows_between`` its number of lines; three columns or more, or it proves nothing), two
    stray quotes are likelier than text that looks like rows: then only the first line is refused.
    """
    record = parse_record(data, start, delimiter, stop, final=final)
    if record is None or record.problem:
        return record
    if record.lines > 2 and width > 2 and rows_between(record.lines):
        return _spoiled(data, start, closed=False)
    if len(record.fields) != width:
        return Record([], ragged(len(record.fields), width), record.end, record.lines)
    return record


def ragged(fields: int, width: int) -> str:
    """What is said of a record with too few or too many fields."""
    return f"has {fields} field{'' if fields == 1 else 's'}, the header {width}"
