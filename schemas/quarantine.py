"""Rows and files that were refused, with every reason: one table per source."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per refused row, or per file that could not be read",
    key=["landing_date", "file", "line", "item"],
    slice_by="landing_date",
    published=False,
)
class Quarantine(Table):
    """What was refused, as it came, and why."""

    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    line: pl.Int64 = column(
        "Line of the file, or row number in Parquet, counted from 1; 0 for a file as a whole", ge=0
    )
    item: pl.Int64 = column(
        "Number among the rows that a mapping made of one raw row; 0 for a file as a whole", ge=0
    )
    reasons: pl.String = column('Everything that is wrong with the row, joined by "; "')
    raw: pl.String = column("The row as it came; JSON for a row of Parquet", nullable=True)
