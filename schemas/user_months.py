"""Spine: the days of a month on which a person was active, as bits."""

import polars as pl

from schemas.base import Table, column, table

_BITS = "Bit 0 is the first day of the month, bit 30 the 31st."


@table(
    grain="one row per month, dimension, segment and person",
    key=["month", "dimension", "segment", "user_id"],
    slice_by="month",
    published=False,
)
class UserMonths(Table):
    """Activity of a person in a month, overall and in each segment the person was seen in."""

    month: pl.Date = column("First day of the month")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    user_id: pl.String = column("Person")
    active_days: pl.Int64 = column(
        f"Days with an active event in the segment. {_BITS}", unit="bits", ge=1
    )
    first_days: pl.Int64 = column(
        f"Days whose first active event was in the segment. {_BITS}", unit="bits", ge=0
    )
    key_feature_days: pl.Int64 = column(
        f"Days on which a key feature was used in the segment. {_BITS}", unit="bits", ge=0
    )
