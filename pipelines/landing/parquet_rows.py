"""Rows of Parquet, in batches, typed as the file has them.

pyarrow reads: it streams row groups, and says in an exception what polars says in a panic.
"""

from collections.abc import Iterator
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.landing.arrow_plain import plain
from pipelines.landing.files import Unreadable, guarded
from pipelines.landing.json_text import dump, in_python, json_object, typed
from pipelines.landing.rows import AT, RawRows, no_broken_rows, with_nulls

_ROWS_AT_ONCE = 500_000
UNSOUND = "the file is no sound Parquet"


class ParquetFile:
    """An open Parquet file."""

    def __init__(self, stream: IO[bytes]) -> None:
        with guarded(UNSOUND):
            self._file = pq.ParquetFile(stream)
            self.columns: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        twice = next((c for c in self.columns if self.columns.count(c) > 1), None)
        if twice is not None:
            raise Unreadable(f"the file has the column {twice} twice")

    def batches(self, block_bytes: int) -> Iterator[pl.DataFrame]:
        """Frames of so many rows that they take about ``block_bytes``."""
        meta = self._file.metadata
        groups = (meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        per_row = max(1, sum(groups) // max(1, meta.num_rows))
        size = min(_ROWS_AT_ONCE, max(1000, block_bytes // per_row))
        batches = self._file.iter_batches(batch_size=size)
        read = 0
        while True:
            with guarded(UNSOUND):
                batch = next(batches, None)
                if batch is None:
                    break
                # A spoiled page can hold text that is no UTF-8, which polars takes on trust.
                batch.validate(full=True)
                frame = pl.from_arrow(pa.Table.from_batches([plain(batch)]))
            assert isinstance(frame, pl.DataFrame)
            read += frame.height
            yield frame
        if read != meta.num_rows:
            raise Unreadable(f"the file holds {read} rows, its footer says {meta.num_rows}")


def parquet_rows(
    frame: pl.DataFrame,
    intake: int,
    first_row: int,
    *,
    used: frozenset[str],
    null_values: tuple[str, ...],
) -> RawRows:
    """The rows of a batch; their number in the file stands for the line."""
    numbers = pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64, eager=True)
    at = pl.DataFrame({"line": numbers}).select(
        pl.lit(intake, pl.UInt32).alias("intake"),
        "line",
        pl.lit(1, pl.Int64).alias("item"),
        pl.lit(None, pl.String).alias("raw"),
    )
    with guarded(UNSOUND):
        frame = frame.with_columns(with_nulls(column, null_values) for column in frame)
        rest = {c.name: typed(c) for c in frame if c.name not in used}
        extra = json_object(rest, frame.height)
    return RawRows(frame, extra, at.cast(AT), no_broken_rows())  # type: ignore[arg-type]


def raw_text(columns: pl.DataFrame) -> pl.Series:
    """Rows of Parquet as JSON, for the quarantine."""
    rows = zip(*map(in_python, columns), strict=True)
    said = [dump(dict(zip(columns.columns, row, strict=True))) for row in rows]
    return pl.Series(said, dtype=pl.String)
