"""Rows as their files hold them, before any meaning is given to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

AT = {"intake": pl.UInt32, "line": pl.Int64, "item": pl.Int64, "raw": pl.String}
BROKEN = AT | {"reasons": pl.String}
Problems = tuple[tuple[str, pl.Series], ...]


@dataclass(frozen=True)
class Segment:
    """Whole lines of a file: which file, the line it starts at, and whether the file ends here."""

    intake: int
    first_line: int
    data: bytes
    final: bool = True


@dataclass(frozen=True)
class RawRows:
    """Rows of one or more files that share a feed and a header.

    ``columns`` are the files' own, as text (Parquet: as typed there). ``extra`` holds, as a JSON
    object, those that no mapping uses. ``at`` tells of each row its file (a number of this intake),
    line and raw text (null for Parquet). ``broken`` are rows that are none, with the reason.

    Where a raw row was turned into several, ``origin`` has the raw rows and which of them each row
    comes from, and ``problems`` what went wrong with which.
    """

    columns: pl.DataFrame
    extra: pl.Series
    at: pl.DataFrame
    broken: pl.DataFrame
    origin: tuple[pl.DataFrame, pl.Series] | None = None
    problems: Problems = ()

    def keep(self, mask: pl.Series) -> "RawRows":
        """The rows where the mask holds."""
        return RawRows(
            self.columns.filter(mask),
            self.extra.filter(mask),
            self.at.filter(mask),
            self.broken,
            self.origin and (self.origin[0], self.origin[1].filter(mask)),
            tuple((said, bad.filter(mask)) for said, bad in self.problems),
        )

    def gather(self, index: pl.Series) -> "RawRows":
        """The rows at these places, in their order; a place may come again."""
        raw, come_from = self.origin or (self.columns, index)
        return RawRows(
            self.columns[index],
            self.extra.gather(index),
            self.at[index],
            self.broken,
            (raw, come_from.gather(index) if self.origin else index),
            tuple((said, bad.gather(index)) for said, bad in self.problems),
        )

    def as_they_came(self, mask: pl.Series) -> pl.DataFrame:
        """The columns of the file, of the rows where the mask holds."""
        if self.origin is None:
            return self.columns.filter(mask)
        raw, come_from = self.origin
        return raw[come_from.filter(mask)]


def joined(parts: Sequence[RawRows]) -> RawRows:
    """Rows that were read apart and have the same columns, before any were made several."""
    if len(parts) == 1:
        return parts[0]
    # In one piece: all that is done to rows in many pieces takes longer.
    return RawRows(
        pl.concat([part.columns for part in parts], rechunk=True),
        pl.concat([part.extra for part in parts], rechunk=True),
        pl.concat([part.at for part in parts], rechunk=True),
        pl.concat([part.broken for part in parts]),
    )


def positions(segments: Sequence[Segment]) -> pl.DataFrame:
    """File and line number of every line of the segments, in order."""
    counts = [segment.data.count(b"\n") for segment in segments]
    spans = pl.DataFrame(
        {
            "intake": [segment.intake for segment in segments],
            "first": [segment.first_line for segment in segments],
            "count": counts,
        },
        schema={"intake": pl.UInt32, "first": pl.Int64, "count": pl.Int64},
    )
    numbered = spans.select(
        "intake", line=pl.int_ranges(pl.col("first"), pl.col("first") + pl.col("count"))
    )
    return numbered.explode("line", empty_as_null=False).with_columns(
        item=pl.lit(1, dtype=pl.Int64)
    )


def broken_rows(at: pl.DataFrame, reasons: pl.Series | Sequence[str]) -> pl.DataFrame:
    """Rows that are none, each with its reason."""
    # New lists, so that a few rows do not hold on to the whole block they came from.
    raw = pl.Series("raw", at["raw"].to_list(), dtype=pl.String)
    said = pl.Series("reasons", reasons, dtype=pl.String)
    return at.with_columns(raw, said).select(*BROKEN).cast(BROKEN)  # type: ignore[arg-type]


def no_broken_rows() -> pl.DataFrame:
    """None of them."""
    return pl.DataFrame(schema=BROKEN)


def with_nulls(values: pl.Series, null_values: Sequence[str]) -> pl.Series:
    """Text with null in the place of what means null."""
    if not null_values or values.dtype != pl.String:
        return values
    # One comparison for each costs less than a search in a list of these few.
    means_null = reduce(pl.Series.__or__, (values == said for said in null_values))
    return values.set(means_null.fill_null(False), None) if means_null.any() else values
