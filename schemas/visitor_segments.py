"""Spine: which segments have sessions, and since when."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per dimension, segment and month in which somebody had a first session in it",
    key=["first_month", "dimension", "segment"],
    slice_by="first_month",
    published=False,
)
class VisitorSegments(Table):
    """The first day with a session of a segment is the least ``first_date`` over its rows."""

    first_month: pl.Date = column("Month in which somebody was new in the segment")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension, or all")
    first_date: pl.Date = column("First day of the month on which somebody was new in the segment")
