"""Rows of Parquet, in batches, typed as the file has them.

pyarrow reads: it streams row groups, and says in an exception what polars says in a panic.
"""

from collections.abc import Iterator
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.landing.files import Unreadable, guarded
from pipelines.landing.json_text import dump, json_object, typed
from pipelines.landing.rows import AT, RawRows, no_broken_rows, with_nulls

_ROWS_AT_ONCE = 500_000
_BINARY = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
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
                frame = pl.from_arrow(pa.Table.from_batches([_plain(batch)]))
            assert isinstance(frame, pl.DataFrame)
            read += frame.height
            yield frame
        if read != meta.num_rows:
            raise Unreadable(f"the file holds {read} rows, its footer says {meta.num_rows}")


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with text where polars has no such type, or would take bytes for what they are not.

    Older writers say binary where they mean text.
    """
    for place, field in enumerate(batch.schema):
        kind = field.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_decimal256(kind):
            said = [None if value is None else f"{value:f}" for value in batch[place].to_pylist()]
        elif any(is_kind(kind) for is_kind in _BINARY):
            said = [None if value is None else _text(value) for value in batch[place].to_pylist()]
        else:
            continue
        batch = batch.set_column(place, field.name, pa.array(said, pa.large_string()))
    return batch


def _text(value: bytes) -> str:
    """Bytes as the text that they are in UTF-8, else as hexadecimal digits."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


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
    return pl.Series([dump(row) for row in columns.iter_rows(named=True)], dtype=pl.String)
