"""Spine: when each person had a session for the first time, overall and in each segment."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per dimension, segment and person",
    key=["dimension", "segment", "user_id"],
    slice_by="first_month",
    order=["first_month", "dimension", "segment", "user_id"],
    published=False,
)
class Visitors(Table):
    """The day of a person's first session, filed under its month."""

    first_month: pl.Date = column("Month of the first session")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    user_id: pl.String = column("Person")
    first_date: pl.Date = column("Day on which the person's first session in the segment starts")
