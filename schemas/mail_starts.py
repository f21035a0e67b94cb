"""Spine: since when mails are delivered."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per month in which a mail was delivered",
    key=["month"],
    slice_by="month",
    published=False,
)
class MailStarts(Table):
    """The first day of history with a delivered mail is the least ``first_date`` over the rows."""

    month: pl.Date = column("First day of the calendar month")
    first_date: pl.Date = column("First day of the month on which a mail was delivered")
