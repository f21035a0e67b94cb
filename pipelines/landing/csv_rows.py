"""Rows of CSV: whole blocks of lines at once, and record by record only where quotes are odd."""

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.landing.csv_bytes import judged_lines
from pipelines.landing.csv_records import Record, parse_record, ragged, read_record
from pipelines.landing.files import BOM, Unreadable
from pipelines.landing.json_text import json_object, quoted
from pipelines.landing.rows import RawRows, Segment, broken_rows, positions, with_nulls

_MOST_COLUMNS = 10_000
_SAID_DELIMITER = re.compile(rb"sep=([ -~\t])\n", re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The columns of a CSV file, and the line and byte at which its rows begin."""

    columns: tuple[str, ...]
    first_line: int
    begins: int


@dataclass(frozen=True)
class Dialect:
    """The columns of CSV files, what stands between fields, and whether quotes can hold them."""

    columns: Sequence[str]
    delimiter: str
    quotes: bool = True


def said_delimiter(block: bytes) -> tuple[str, bytes] | None:
    """What a first line such as ``sep=;``, for spreadsheets, names, and what follows it."""
    said = _SAID_DELIMITER.match(block)
    return (said[1].decode(), block[said.end() :]) if said else None


def read_header(block: bytes, delimiter: str, *, quotes: bool = True) -> Header | None:
    """The header of a file; None where the file is empty."""
    start = len(block) - len(block.lstrip(b"\n"))
    if start == len(block):
        return None
    if quotes:
        record = parse_record(block, start, delimiter.encode(), len(block), final=True)
    else:
        end = block.index(b"\n", start)
        record = Record(block[start:end].decode().split(delimiter), None, end + 1, 1)
    if record is None or record.problem:
        raise Unreadable(f"the header {record.problem if record else 'never ends'}")
    if len(record.fields) > _MOST_COLUMNS:
        said = f"{len(record.fields):,} columns; at most {_MOST_COLUMNS:,} are read"
        raise Unreadable(f"the header has {said}")
    names = [name.strip() or f"column {i}" for i, name in enumerate(record.fields, 1)]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise Unreadable(f"the header names the column {twice} twice")
    return Header(tuple(names), block.count(b"\n", 0, record.end) + 1, record.end)


def csv_rows(
    segments: Sequence[Segment],
    dialect: Dialect,
    *,
    used: frozenset[str],
    null_values: Sequence[str],
) -> tuple[RawRows, bytes]:
    """The rows of segments that share a header, and what is left of the last one.

    Something is left only where the last segment is not its file's last and ends within a record.
    """
    columns = dialect.columns
    block = _Block(segments, dialect, empty_is_null="" in null_values)
    try:
        table, at, broken, left = block.read(block.regular)
    except _Misread:
        none = pl.repeat(False, len(block.lines), dtype=pl.Boolean, eager=True)
        table, at, broken, left = block.read(none)
    named = table.rename(dict(zip(table.columns, columns, strict=True)))
    named = named.with_columns(with_nulls(named[name], null_values) for name in columns)
    rest = {name: quoted(named[name]) for name in columns if name not in used}
    return RawRows(named, json_object(rest, named.height), at, broken), left


class _Misread(Exception):  # noqa: N818
    """polars saw other rows than we did: the block is to be read record by record."""


class _Block:
    """Whole lines of files that share a header."""

    def __init__(
        self, segments: Sequence[Segment], dialect: Dialect, *, empty_is_null: bool
    ) -> None:
        self.data = b"".join(segment.data for segment in segments)
        self.lines = _lines(self.data)
        self._segments, self._quotes = segments, dialect.quotes
        self._empty_is_null = empty_is_null
        self._delimiter, self._width = dialect.delimiter, len(dialect.columns)
        self._at = positions(segments).with_columns(raw=self.lines)
        self._blank = self.lines.str.strip_chars(" ") == ""
        self._fields, self.regular = judged_lines(
            self.data, self._delimiter.encode(), quotes=self._quotes
        )

    def read(self, regular: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, bytes]:
        """Fields and places of the rows, what is broken, and the bytes that are left.

        Lines that are not ``regular`` are read record by record.
        """
        right_width = self._fields == self._width
        odd = _Odd(self.data, self._delimiter.encode(), self._width, self.regular & right_width)
        odd.resolve((~regular & ~self._blank).arg_true().to_list(), self._segments, self.lines)
        single = regular & ~self._blank & ~odd.taken(len(self.lines))
        whole, spoiled = single & right_width, single & ~right_width
        said = [ragged(n, self._width) for n in self._fields.filter(spoiled)]
        broken = pl.concat([broken_rows(self._at.filter(spoiled), said), odd.broken(self._at)])
        return *odd.merge(self._read_regular(whole), self._at, whole), broken, odd.left

    def _read_regular(self, whole: pl.Series) -> pl.DataFrame:
        data = self.data if whole.all() else self._only(whole)
        # polars takes a byte order mark here for the file's, whose header is long gone.
        data = BOM + data if data.startswith(BOM) else data
        try:
            table = pl.read_csv(
                io.BytesIO(data),
                has_header=False,
                schema={f"c{i}": pl.String for i in range(self._width)},
                separator=self._delimiter,
                quote_char='"' if self._quotes else None,
                empty_string_is_null=self._empty_is_null,
                raise_if_empty=False,
            )
        except pl.exceptions.PolarsError as error:
            raise _Misread from error
        if table.height != whole.sum():
            raise _Misread
        return table.rechunk()

    def _only(self, chosen: pl.Series) -> bytes:
        """The bytes of some lines: as few pieces as there are stretches of lines."""
        lines = pl.DataFrame({"chosen": chosen, "bytes": self.lines.str.len_bytes() + 1})
        stretches = lines.group_by(pl.col("chosen").rle_id().alias("nth"), "chosen")
        sizes = stretches.agg(pl.col("bytes").cast(pl.Int64).sum()).sort("nth")
        parts, start = [], 0
        for is_chosen, size in sizes.select("chosen", "bytes").iter_rows():
            if is_chosen:
                parts.append(self.data[start : start + size])
            start += size
        return b"".join(parts)


def _lines(data: bytes) -> pl.Series:
    if not data:
        return pl.Series("raw", [], dtype=pl.String)
    # In one piece: all that is done to rows in many pieces takes longer.
    return pl.read_lines(io.BytesIO(data)).to_series().rechunk().alias("raw")


class _Odd:
    """Lines whose quotes do not close within them, read record by record."""

    def __init__(self, data: bytes, delimiter: bytes, width: int, rows: pl.Series) -> None:
        self.left = b""
        self._data, self._delimiter, self._width, self._rows = data, delimiter, width, rows
        self._good: list[tuple[int, str, list[str]]] = []
        self._bad: list[tuple[int, str, str]] = []
        self._taken: list[int] = []

    def resolve(self, odd: list[int], segments: Sequence[Segment], lines: pl.Series) -> None:
        """Read the records that begin at the odd lines, and take the lines that they span."""
        if not odd:
            return
        starts = [0, *(lines.str.len_bytes().cast(pl.Int64) + 1).cum_sum()]
        bounds = _segment_ends(segments)
        following, part = 0, 0
        for i in odd:
            if i < following:
                continue
            while starts[i] >= bounds[part]:
                part += 1
            following = self._take(i, starts[i], bounds[part], segments[part].final)
            if self.left:
                self._taken.extend(range(i, len(lines)))
                return

    def _take(self, i: int, start: int, stop: int, final: bool) -> int:
        record = read_record(
            self._data,
            start,
            stop,
            delimiter=self._delimiter,
            width=self._width,
            final=final,
            rows_between=lambda lines: bool(self._rows[i + 1 : i + lines - 1].all()),
        )
        if record is None:
            self.left = self._data[start:]
            return i
        self._taken.extend(range(i, i + record.lines))
        raw = self._data[start : record.end - 1].decode()
        if record.problem:
            self._bad.append((i, raw, record.problem))
        else:
            self._good.append((i, raw, record.fields))
        return i + record.lines

    def taken(self, height: int) -> pl.Series:
        """Lines that belong to the records read here."""
        mask = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
        return mask.scatter(self._taken, True) if self._taken else mask

    def broken(self, at: pl.DataFrame) -> pl.DataFrame:
        """Records that are none."""
        rows = at[[i for i, _, _ in self._bad]].with_columns(
            raw=pl.Series([raw for _, raw, _ in self._bad], dtype=pl.String)
        )
        return broken_rows(rows, [problem for _, _, problem in self._bad])

    def merge(
        self, table: pl.DataFrame, at: pl.DataFrame, whole: pl.Series
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The regular rows and the ones read here, in the order of their lines."""
        if not self._good:
            return table, at.filter(whole)
        index = [i for i, _, _ in self._good]
        fields = [record for _, _, record in self._good]
        more = pl.DataFrame(fields, schema=table.schema, orient="row")
        places = at[index].with_columns(raw=pl.Series([raw for _, raw, _ in self._good]))
        order = pl.concat([whole.arg_true(), pl.Series(index, dtype=pl.UInt32)]).arg_sort()
        return pl.concat([table, more])[order], pl.concat([at.filter(whole), places])[order]


def _segment_ends(segments: Sequence[Segment]) -> list[int]:
    ends, total = [], 0
    for segment in segments:
        total += len(segment.data)
        ends.append(total)
    return ends
