"""Spine: the days of a month with start and return events of the retention definitions, as bits."""

import polars as pl

from schemas.base import Table, column, table

_BITS = "Bit 0 is the first day of the month, bit 30 the 31st."


@table(
    grain="one row per month, definition, dimension, segment and person",
    key=["month", "definition", "dimension", "segment", "user_id"],
    slice_by="month",
    published=False,
)
class DefinitionMonths(Table):
    """Start and return days of a person; returns stand in the row for everybody only."""

    month: pl.Date = column("First day of the month")
    definition: pl.String = column("Name from the setting retentions")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    user_id: pl.String = column("Person")
    start_days: pl.Int64 = column(
        f"Days whose first start event was in the segment. {_BITS}", unit="bits", ge=0
    )
    return_days: pl.Int64 = column(
        f"Days with a return event; 0 in the rows of segments. {_BITS}", unit="bits", ge=0
    )
