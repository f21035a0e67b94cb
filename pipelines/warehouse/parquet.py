"""Frames to Parquet bytes, the same bytes for the same rows on any machine with these versions.

Row groups are cut by us: left to the engine, their size depends on the number of threads.
"""

import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from schemas.base import Table, dtypes, promise_of

ROW_GROUP_ROWS = 1 << 17


def parquet_bytes(frame: pl.DataFrame, model: type[Table]) -> bytes:
    """The rows of ``frame``, in its order, with the model's descriptions in the footer."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, **_options(model))
    return buffer.getvalue()


def write_parquet(frames: Iterable[pl.DataFrame], model: type[Table], path: Path) -> None:
    """The same bytes as of one frame, of rows that come in many and are never held together."""

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        return iter(frames)

    rows = register_io_source(source, schema=dtypes(model), is_pure=True)
    rows.sink_parquet(path, **_options(model))


def _options(model: type[Table]) -> dict[str, Any]:
    return {
        "compression": "zstd",
        "compression_level": 1,
        "statistics": True,
        "row_group_size": ROW_GROUP_ROWS,
        "arrow_schema": _described(model),  # type: ignore[arg-type]
        "metadata": footer(model),
    }


def footer(model: type[Table]) -> dict[str, str]:
    """What the file says of its table."""
    promise = promise_of(model)
    return {
        "description": (model.__doc__ or "").split("\n")[0],
        "grain": promise.grain,
        "key": ", ".join(promise.key),
        "warnings": "\n".join(promise.warnings),
    }


@cache
def _described(model: type[Table]) -> pa.Schema:
    columns = model.to_schema().columns
    arrow = pl.DataFrame(schema=dtypes(model)).to_arrow().schema
    fields = []
    for field in arrow:
        column = columns[field.name]
        said = {"description": column.description, **(column.metadata or {})}
        fields.append(field.with_metadata(said))
    return pa.schema(fields)
