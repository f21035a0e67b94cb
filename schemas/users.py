"""Spine: when each person was active for the first time, overall and in each segment."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per dimension, segment and person",
    key=["dimension", "segment", "user_id"],
    slice_by="first_month",
    order=["first_month", "dimension", "segment", "user_id"],
    published=False,
)
class Users(Table):
    """A person's first active day, filed under its month."""

    first_month: pl.Date = column("Month of the first active day")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    user_id: pl.String = column("Person")
    first_date: pl.Date = column("First day on which the person was active in the segment")
    is_entry: pl.Boolean = column(
        "The person's very first active event was in this segment, which is that of the cohort"
    )
