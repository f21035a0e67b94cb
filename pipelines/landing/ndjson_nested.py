"""Lines of NDJSON with nested values as flat ones: the nested values cut out, and kept beside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import polars as pl

from pipelines.landing.json_text import dump
from pipelines.landing.ndjson_bytes import Lines
from pipelines.landing.ndjson_objects import DEEPEST, count_keys

# Names that stand in a line as they are and, between quotes, as nothing else.
PLAIN_NAME = r"[a-zA-Z0-9_.$@-]+"
_NAME = re.compile(PLAIN_NAME.encode())
# orjson makes doubles of integers beyond 64 bits.
_LONG_NUMBER = re.compile(rb"\d{19}")
# What stands for a nested value.
_MARK = b"0 "
_CLOSING = {b"{": b"}", b"[": b"]"}
_Values = list[tuple[str, str]]


@dataclass(frozen=True)
class Flat:
    """Lines by their numbers, made flat; ``nested`` has by key what was cut out, as JSON."""

    numbers: pl.Series
    data: bytes
    nested: dict[str, pl.Series]


def flattened(lines: Lines) -> Flat:
    """The lines that are plain but for nested values, as far as these are plain to see."""
    numbers: list[int] = []
    texts: list[bytes] = []
    places: dict[str, list[int]] = {}
    values: dict[str, list[str]] = {}
    for number, line, begins in lines.nested():
        cut = _cut(line, begins)
        if cut is None:
            continue
        for name, value in cut[1]:
            places.setdefault(name, []).append(len(numbers))
            values.setdefault(name, []).append(value)
        numbers.append(number)
        texts.append(cut[0])
    nested = {
        name: pl.repeat(None, len(numbers), dtype=pl.String, eager=True).scatter(places[name], said)
        for name, said in values.items()
    }
    return Flat(pl.Series(numbers, dtype=pl.UInt32), b"".join(texts), nested)


def _cut(line: bytes, begins: Sequence[int]) -> tuple[bytes, _Values] | None:
    """The line without its nested values, and these; ``begins`` is where such may begin."""
    # Without a backslash every quote opens a string or closes it.
    if b"\\" in line or line.count(b"{") + line.count(b"[") > DEEPEST:
        return None
    kept: list[bytes] = []
    values: _Values = []
    end = 0
    for begin in begins:
        if begin < end:
            continue
        name = _name_before(line, begin)
        # A string that begins with a colon has no such name before it.
        if name is None:
            return None
        kept += line[end:begin], _MARK
        end = _end_of(line, begin)
        value = _read(line[begin:end])
        if value is None:
            return None
        values.append((name, value))
    return b"".join([*kept, line[end:]]), values


def _name_before(line: bytes, begin: int) -> str | None:
    quote = line.rfind(b'"', 0, begin)
    name = line[line.rfind(b'"', 0, quote) + 1 : quote]
    return name.decode() if _NAME.fullmatch(name) else None


def _end_of(line: bytes, begin: int) -> int:
    """Where as many brackets are closed as were opened; ``begin`` where that is nowhere."""
    opening = line[begin : begin + 1]
    closing = _CLOSING[opening]
    end = line.find(closing, begin) + 1
    while end and line.count(opening, begin, end) != line.count(closing, begin, end):
        end = line.find(closing, end) + 1
    return end or begin


def _read(text: bytes) -> str | None:
    """A nested value as the JSON that is kept of it; None where it is none, or has a key twice."""
    if _LONG_NUMBER.search(text):
        return None
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return dump(value) if count_keys(value) == text.count(b'":') else None
