"""Spine: which anonymous ids were linked to which users in a month, and what that gave them."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp


@table(
    grain="one row per month, anonymous id and user that it was linked or gave events to",
    key=["month", "anonymous_id", "user_id"],
    slice_by="month",
    published=False,
)
class IdentityMonths(Table):
    """Links and stitched events of a month; those of staff are left out."""

    month: pl.Date = column("First day of the month")
    anonymous_id: pl.String = column("Device or browser")
    user_id: pl.String = column("User it was linked to")
    first_link_ts: Timestamp = timestamp(
        "First event of the month that carried both ids; null where the link lies in another month",
        nullable=True,
    )
    last_link_ts: Timestamp = timestamp("Last such event of the month", nullable=True)
    linked_days: pl.Int64 = count("Days of the month with such an event", unit="days")
    events: pl.Int64 = count(
        "Events of the month without a user that were counted as this user's", unit="events"
    )
