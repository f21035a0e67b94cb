"""Spine: when each person did a retention definition's start event for the first time."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per definition, dimension and person",
    key=["definition", "dimension", "user_id"],
    slice_by="first_month",
    order=["first_month", "definition", "dimension", "segment", "user_id"],
    published=False,
)
class DefinitionUsers(Table):
    """A person's first start day, filed under its month, with the segments of its first event."""

    first_month: pl.Date = column("Month of the first start day")
    definition: pl.String = column("Name from the setting retentions")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension at the first start event, or all")
    user_id: pl.String = column("Person")
    first_date: pl.Date = column("First day with a start event")
