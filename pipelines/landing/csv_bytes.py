"""What the bytes of CSV tell of its lines before any is read: their fields, and their quotes."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

# Bytes that are looked at together: few enough to stay in the cache of a core.
_PIECE_BYTES = 1 << 20
_LINE_END, _QUOTE = b'\n"'
_Numbers = npt.NDArray[np.intp]
_Mask = npt.NDArray[np.bool_]


def judged_lines(data: bytes, delimiter: bytes, *, quotes: bool) -> tuple[pl.Series, pl.Series]:
    """The number of fields of each line, and whether its quotes are plain to see within it.

    They are where every quote opens or closes a field, or stands doubled in one that is quoted. Of
    other lines the number of fields means nothing.
    """
    found = [_judged(piece, ord(delimiter), quotes) for piece in _pieces(data)]
    fields = np.concatenate([np.empty(0, np.intp), *(fields for fields, _ in found)])
    regular = np.concatenate([np.empty(0, np.bool_), *(regular for _, regular in found)])
    return pl.Series(fields, dtype=pl.Int64), pl.Series(regular, dtype=pl.Boolean)


def _pieces(data: bytes) -> Iterator[npt.NDArray[np.uint8]]:
    """Whole lines, some at a time."""
    every = np.frombuffer(data, np.uint8)
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _PIECE_BYTES) + 1 or len(data)
        yield every[start:end]
        start = end


def _judged(lines: npt.NDArray[np.uint8], delimiter: int, quotes: bool) -> tuple[_Numbers, _Mask]:
    ends = np.flatnonzero(lines == _LINE_END)
    starts = np.concatenate([[0], ends[:-1] + 1])
    delimiters = np.flatnonzero(lines == delimiter)
    fields = _per_line(delimiters, starts) + 1
    marks = np.flatnonzero(lines == _QUOTE) if quotes else delimiters[:0]
    if not len(marks):
        return fields, np.ones(len(ends), np.bool_)
    counts = _per_line(marks, starts)
    regular: _Mask = counts % 2 == 0
    of_line = np.repeat(np.arange(len(ends)), counts)
    is_paired = regular[of_line]
    opening, closing = marks[is_paired][::2], marks[is_paired][1::2]
    of_line = of_line[is_paired][::2]
    # Before the first line stands the last line's end. A quote beside a quote is a doubled one.
    borders = [_LINE_END, _QUOTE, delimiter]
    is_plain = np.isin(lines[opening - 1], borders) & np.isin(lines[closing + 1], borders)
    regular[of_line[~is_plain]] = False
    within = np.searchsorted(delimiters, closing) - np.searchsorted(delimiters, opening)
    fields -= np.bincount(of_line, within, len(ends)).astype(np.intp)
    return fields, regular


def _per_line(places: _Numbers, starts: _Numbers) -> _Numbers:
    """How many of the places, which are in order, lie in each line."""
    return np.diff(np.searchsorted(places, starts), append=len(places))
