"""Which user an anonymous id stands for, on a day, from when on."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp


@table(
    grain="one row per anonymous id and instant from which its events belong to another user",
    key=["event_date", "anonymous_id", "from_ts"],
    slice_by="event_date",
    published=False,
)
class Stitches(Table):
    """For anonymous ids that had events without a user on the day and are linked to one.

    An event belongs to the first user linked at or after it within ``stitch_days``, else to the
    last one linked before it within ``stitch_days``, else to the anonymous id itself.
    """

    event_date: pl.Date = column("Day of the events in the reporting time zone")
    anonymous_id: pl.String = column("Device or browser")
    from_ts: Timestamp = timestamp("First event from which this holds")
    until_ts: Timestamp = timestamp(
        "The next change on the day, from which this no longer holds; null where there is none",
        nullable=True,
    )
    user_id: pl.String = column(
        "User; null where the events stay the anonymous id's", nullable=True
    )
    is_staff: pl.Boolean = column("The user works for the company: the events do not count")
    events: pl.Int64 = count("Events without a user from then until the next change or day's end")
