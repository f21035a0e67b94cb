"""Spine: users whom events name, and since when."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per user whom an event names by user_id",
    key=["user_id"],
    slice_by="first_month",
    order=["first_month", "user_id"],
    published=False,
)
class KnownUsers(Table):
    """A user's first event of any kind, filed under its month. Anonymous ids are no users."""

    first_month: pl.Date = column("Month of the first event")
    user_id: pl.String = column("User, as events name them")
    first_date: pl.Date = column("First day with an event that names the user")
